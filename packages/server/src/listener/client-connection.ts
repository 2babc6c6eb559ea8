import type { Socket } from 'node:net';
import type { ConnectionId } from '@meerkat/engine';

/** What the next bytes of a connection are. */
export const Phase = {
  /** The first four bytes: a four-letter word, or the length of a handshake. */
  firstBytes: 0,
  /** The eight bytes of a mask that follow `stmk`. */
  wordArgument: 1,
  /** The rest of the handshake; the replica sees it already. */
  handshake: 2,
  /** Frames; the replica alone judges them. */
  client: 3,
  /** Nothing: what arrives is thrown away until the socket is closed. */
  closing: 4,
  /** Likewise, while it is sent a long answer to a word. */
  answering: 5,
} as const;

/** One of the phases. */
export type Phase = (typeof Phase)[keyof typeof Phase];

/** A connection as the shell sees it; small, since there may be tens of thousands. */
export class ClientConnection {
  readonly id: ConnectionId;
  readonly socket: Socket;
  /** The peer, without the `::ffff:` of IPv4 on an IPv6 socket. */
  readonly address: string;
  readonly port: number;
  /** Whether it came in through TLS. */
  readonly secure: boolean;
  phase: Phase = Phase.firstBytes;
  /** Bytes until the phase is over. */
  missingBytes = 4;
  /** The four-letter word or length, as far as it has come. */
  head = 0;
  /** The argument of a word, as far as it has come. */
  argument = 0n;
  /** Whether the replica was told of it, and so must be told of its end. */
  announced = false;

  constructor(
    id: ConnectionId,
    socket: Socket,
    peer: { address: string; port: number; secure: boolean },
  ) {
    this.id = id;
    this.socket = socket;
    this.address = peer.address;
    this.port = peer.port;
    this.secure = peer.secure;
  }
}
