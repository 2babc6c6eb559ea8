/**
 * What the observers behind a follower have asked the leader for, through it, and have not been answered
 * (`ObserverMaster.java`). Owns what that may amount to: the leader lets a follower go that asks for too much, and one
 * observer must not cost all others behind the same follower their way.
 */
import { OpCode } from '@meerkat/protocol';
import { FirstInFirstOut } from '../first-in-first-out.ts';
import { ensembleLimits } from '../limits.ts';
import { forwardRefusal } from './forwarded-request.ts';
import { PacketIds, type ReceivedPacket } from './quorum-packet.ts';
import { int32At } from './transaction-bytes.ts';

export class ObserverRequests {
  readonly #hasExtendedTypes: boolean;
  readonly #ids = new PacketIds();
  /** Writes under way, oldest first: the leader commits them in this order. */
  readonly #writes: FirstInFirstOut<Forwarded> = new FirstInFirstOut();
  #bytes = 0;

  /** @param hasExtendedTypes `zookeeper.extendedTypesEnabled` */
  constructor(hasExtendedTypes: boolean) {
    this.#hasExtendedTypes = hasExtendedTypes;
  }

  /** Bytes of the writes under way. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Why a REQUEST is not passed on, null when it is. A write counts from now on until it is committed.
   *
   * @param questions how many syncs and questions about sessions are under way
   * @throws JuteError when its ids are none
   */
  take(packet: ReceivedPacket, questions: number): string | null {
    const { bytes, dataStart, end } = packet;
    const type = int32At(bytes, dataStart + 12) as OpCode;
    const sessionHi = int32At(bytes, dataStart);
    const refusal = forwardRefusal(type, sessionHi, this.#hasExtendedTypes);
    if (refusal !== null) return refusal;
    // The leader reads them too, and hangs up when they are none.
    this.#ids.read(packet);
    if (type === OpCode.sync) return questionRefusal(questions);
    if (this.#bytes > ensembleLimits.forwardedBytesMax) {
      return `it asks for more while ${this.#bytes} bytes of observers are not committed`;
    }
    const size = end - dataStart;
    this.#bytes += size;
    const sessionLo = int32At(bytes, dataStart + 4);
    this.#writes.push({ sessionHi, sessionLo, xid: int32At(bytes, dataStart + 8), size });
    return null;
  }

  /** A transaction of this session and xid is committed. */
  committed(sessionHi: number, sessionLo: number, xid: number): void {
    const oldest = this.#writes.first;
    if (oldest === undefined || oldest.xid !== xid) return;
    if (oldest.sessionLo !== sessionLo || oldest.sessionHi !== sessionHi) return;
    this.#bytes -= oldest.size;
    this.#writes.shift();
  }
}

/** Why one more sync, or question about a session, is not passed on while so many are under way; null when it is. */
export function questionRefusal(questions: number): string | null {
  if (questions < ensembleLimits.forwardedQuestionsMax) return null;
  return `it asks once more while ${questions} questions are under way`;
}

/** A write that was passed on. */
interface Forwarded {
  readonly sessionHi: number;
  readonly sessionLo: number;
  readonly xid: number;
  readonly size: number;
}
