import type { PeerListenerEvents, PeerStreamEvents } from '@meerkat/engine';
import { electionPort } from '../ensemble/ensemble-member.ts';
import { ProcessClock } from '../process-clock.ts';
import type { SimulatedPeerNetwork } from '../simulated-peer-network.ts';
import type { ScriptedEnsemble } from './scripted-ensemble.ts';

/** A process at the host of a member that does not run, which says what a script wants at election ports. */
export class ElectionPeer implements PeerStreamEvents, PeerListenerEvents {
  /** What members have said to it, streams one after the other. */
  heard: Buffer = Buffer.alloc(0);
  /** Streams that ended. */
  closed = 0;
  readonly #ensemble: ScriptedEnsemble;
  readonly #network: SimulatedPeerNetwork;
  readonly #unsaid = new Map<number, readonly Uint8Array[]>();

  constructor(ensemble: ScriptedEnsemble, host: string) {
    this.#ensemble = ensemble;
    this.#network = ensemble.fabric.networkOf(host, new ProcessClock(ensemble.clock));
    this.#network.listen({ host, port: electionPort }, this);
    ensemble.runFor(100);
  }

  /** Dials a member and says these, one after the other. */
  say(host: string, ...said: readonly Uint8Array[]): void {
    const stream = this.#network.dial({ host, port: electionPort }, 1000, this);
    this.#unsaid.set(stream, said);
    this.#ensemble.runFor(100);
  }

  /** It is gone, and another process may take its place. */
  end(): void {
    this.#network.crash();
    this.#ensemble.runFor(100);
  }

  onPeerOpened(stream: number): void {
    for (const bytes of this.#unsaid.get(stream) ?? [])
      this.#network.send(stream, bytes, 0, bytes.length);
  }

  onPeerBytes(_stream: number, bytes: Uint8Array, start: number, end: number): void {
    this.heard = Buffer.concat([this.heard, bytes.subarray(start, end)]);
  }

  onPeerClosed(): void {
    this.closed += 1;
  }

  onPeerAccepted(): PeerStreamEvents {
    return this;
  }

  onPeerDrained(): void {}
  onPeerListening(): void {}
  onPeerListenFailed(): void {}
}

/** The first message of a stream: who dials, and where it can be dialled. */
export function greeting(version: number, sid: number, addresses: string): Uint8Array {
  const text = Buffer.from(addresses);
  const bytes = Buffer.alloc(20);
  bytes.writeBigInt64BE(BigInt(version), 0);
  bytes.writeBigInt64BE(BigInt(sid), 8);
  bytes.writeInt32BE(text.length, 16);
  return Buffer.concat([bytes, text]);
}

/** Fields of a notification; of `configBytes` may be more or fewer than there are of `config`. */
export interface NotificationFields {
  readonly state?: number;
  readonly leader?: number;
  readonly configBytes?: number;
  readonly config?: Uint8Array;
}

/** A notification in its frame, with whatever is said of it. */
export function notification(fields: NotificationFields = {}): Uint8Array {
  const { state = 0, leader = 3, config = Buffer.alloc(0) } = fields;
  const bytes = Buffer.alloc(48);
  bytes.writeInt32BE(44 + config.length, 0);
  bytes.writeInt32BE(state, 4);
  bytes.writeBigInt64BE(BigInt(leader), 8);
  bytes.writeBigInt64BE(1n, 24);
  bytes.writeInt32BE(2, 40);
  bytes.writeInt32BE(fields.configBytes ?? config.length, 44);
  return Buffer.concat([bytes, config]);
}

/** Any bytes in a frame. */
export function frame(bytes: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeInt32BE(bytes.length, 0);
  return Buffer.concat([length, bytes]);
}
