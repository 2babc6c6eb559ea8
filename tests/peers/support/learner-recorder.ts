import { connect, createServer, type Server, type Socket } from 'node:net';
import { JuteError, JuteReader, readQuorumPacket } from '@meerkat/protocol';

/** What went over the link of a learner and its leader: one packet, or the stream of a snapshot. */
export interface RecordedPacket {
  /** Name of the step during which it passed. */
  readonly step: string;
  readonly from: 'learner' | 'leader';
  /** The name of the packet's type, or `snapshot`. */
  readonly kind: string;
  readonly hex: string;
}

/**
 * Stands between learners and the port where their leader awaits them, forwards every byte and keeps every packet, in the
 * order in which they passed.
 */
export class LearnerRecorder {
  /** Filed with each packet. */
  step = '';
  readonly #server: Server;
  #packets: RecordedPacket[] = [];

  private constructor(leaderPort: number) {
    this.#server = createServer((learner) => this.#serve(learner, leaderPort));
  }

  static start(leaderPort: number): Promise<LearnerRecorder> {
    const recorder = new LearnerRecorder(leaderPort);
    return new Promise((resolve) => {
      recorder.#server.listen(0, '127.0.0.1', () => resolve(recorder));
    });
  }

  get port(): number {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('The recorder is closed');
    return address.port;
  }

  /** Hands out what was recorded since the last call. */
  take(): RecordedPacket[] {
    const packets = this.#packets;
    this.#packets = [];
    return packets;
  }

  /** Whether a packet of this kind passed since the last `take`. */
  has(from: RecordedPacket['from'], kind: string): boolean {
    return this.#packets.some((packet) => packet.from === from && packet.kind === kind);
  }

  close(): void {
    this.#server.close();
  }

  #serve(learner: Socket, leaderPort: number): void {
    const leader = connect(leaderPort, '127.0.0.1');
    for (const socket of [learner, leader]) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.once('close', () => {
        learner.destroy();
        leader.destroy();
      });
    }
    this.#forward('learner', learner, leader);
    this.#forward('leader', leader, learner);
  }

  #forward(from: RecordedPacket['from'], source: Socket, sink: Socket): void {
    let pending: Buffer = Buffer.alloc(0);
    let inSnapshot = false;
    source.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      for (;;) {
        const end = inSnapshot ? endOfSnapshot(pending) : endOfPacket(pending);
        if (end < 0) break;
        const kind = inSnapshot ? 'snapshot' : (kinds[pending.readInt32BE(0)] ?? 'unknown');
        const hex = pending.subarray(0, end).toString('hex');
        this.#packets.push({ step: this.step, from, kind, hex });
        inSnapshot = kind === 'SNAP';
        pending = pending.subarray(end);
      }
      sink.write(chunk);
    });
  }
}

/** Names of the packet types (`Leader.java`). */
const kinds: readonly string[] = [
  '',
  'REQUEST',
  'PROPOSAL',
  'ACK',
  'COMMIT',
  'PING',
  'REVALIDATE',
  'SYNC',
  'INFORM',
  'COMMITANDACTIVATE',
  'NEWLEADER',
  'FOLLOWERINFO',
  'UPTODATE',
  'DIFF',
  'TRUNC',
  'SNAP',
  'OBSERVERINFO',
  'LEADERINFO',
  'ACKEPOCH',
  'INFORMANDACTIVATE',
];

/** -1 while there is more to come. */
function endOfPacket(bytes: Buffer): number {
  if (bytes.length < 20) return -1;
  const reader = new JuteReader(bytes);
  try {
    readQuorumPacket(reader);
    return reader.position;
  } catch (error) {
    if (error instanceof JuteError) return -1;
    throw error;
  }
}

function endOfSnapshot(bytes: Buffer): number {
  const signature = Buffer.from('\0\0\0\nBenWasHere');
  const at = bytes.indexOf(signature);
  return at < 0 ? -1 : at + signature.length;
}
