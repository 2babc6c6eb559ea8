import { type JuteWriter, OpCode, SpecialXid } from '@meerkat/protocol';
import { decodeNothing, type Operation } from './operations/operation.ts';
import { noTarget, type PendingRequest, Request } from './request.ts';
import { Ring } from './ring.ts';

/** What a client proves who it is with. */
export interface Credential {
  /** `digest`, or any scheme that the server was given. */
  readonly scheme: string;
  /** For digest `user:password`; otherwise what the scheme asks for. A string is sent as UTF-8. */
  readonly auth: Uint8Array | string;
}

/** The credentials of one client: sent on every new connection, in the order they were added. */
export class Credentials {
  readonly #all: Credential[] = [];
  /** Who waits for each credential that is on its way, in the order of the answers. */
  readonly #unanswered = new Ring<Credential>();
  #waiting: { credential: Credential; request: Request<null, void> }[] = [];

  /** Adds a credential. The request settles when a server has answered. */
  add(credential: Credential): Request<null, void> {
    const known = this.#all.find((other) => sameCredential(other, credential));
    if (known === undefined) this.#all.push(credential);
    const request = new Request(addAuth, noTarget, null, null);
    this.#waiting.push({ credential: known ?? credential, request });
    return request;
  }

  /** All credentials, for a new connection; those sent before it are not answered any more. */
  forNewConnection(): readonly Credential[] {
    while (this.#unanswered.shift() !== undefined);
    return this.#all;
  }

  /** Writes the packet of a credential, whose answer is awaited from now on. */
  write(writer: JuteWriter, credential: Credential): void {
    const { scheme, auth } = credential;
    writer.writeInt(SpecialXid.auth);
    writer.writeInt(OpCode.auth);
    writer.writeInt(0);
    writer.writeString(scheme);
    writer.writeBuffer(typeof auth === 'string' ? encoder.encode(auth) : auth);
    this.#unanswered.push(credential);
  }

  /** A server has answered the first credential on its way. */
  onAnswer(code: number): void {
    const answered = this.#unanswered.shift();
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ credential }) => credential !== answered);
    for (const { credential, request } of waiting) {
      if (credential !== answered) continue;
      if (code === 0) request.resolve(undefined);
      else request.fail(code);
    }
  }

  /** The client has ended. */
  failAll(fail: (request: PendingRequest) => void): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { request } of waiting) fail(request);
  }
}

const addAuth: Operation<null, void> = {
  opcode: OpCode.auth,
  doing: 'authenticate',
  encode() {},
  decode: decodeNothing,
};

const encoder = new TextEncoder();

function sameCredential(a: Credential, b: Credential): boolean {
  return (
    a.scheme === b.scheme && String(a.auth) === String(b.auth) && typeof a.auth === typeof b.auth
  );
}
