import { type JuteWriter, OpCode, SpecialXid } from '@meerkat/protocol';
import type { Operation } from './operations/operation.ts';
import { noTarget, type PendingRequest, Request } from './request.ts';
import type { RequestQueue } from './request-queue.ts';
import { Ring } from './ring.ts';

/** The pings on their way: those that keep the session alive, and those that somebody waits for. */
export class Pings {
  readonly #unanswered = new Ring<{ sentMs: number; request: Request<null, number> | null }>();

  /** A call that measures a ping; not sent yet. */
  request(): Request<null, number> {
    return new Request(pingOperation, noTarget, null, null);
  }

  /** Sends a ping, for `request` or nobody. */
  send(queue: RequestQueue, nowMs: number, request: Request<null, number> | null): void {
    this.#unanswered.push({ sentMs: nowMs, request });
    queue.sendPacket(writePing);
  }

  /** The first ping was answered. */
  onAnswer(nowMs: number): void {
    const ping = this.#unanswered.shift();
    ping?.request?.resolve(nowMs - ping.sentMs);
  }

  /** The connection is gone, and the answers with it. */
  failAll(fail: (request: PendingRequest) => void): void {
    for (let count = this.#unanswered.length; count > 0; count--) {
      const request = this.#unanswered.shift()?.request;
      if (request !== null && request !== undefined) fail(request);
    }
  }
}

const pingOperation: Operation<null, number> = {
  opcode: OpCode.ping,
  doing: 'ping the server',
  encode() {},
  decode: () => 0,
};

function writePing(writer: JuteWriter): void {
  writer.writeInt(SpecialXid.ping);
  writer.writeInt(OpCode.ping);
}
