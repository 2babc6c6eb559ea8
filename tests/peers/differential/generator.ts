import { type JuteWriter, OpCode } from '@meerkat/protocol';
import { encodeRequest } from '../support/requests.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import type { CanonicalFrame } from './canonical-reply.ts';
import * as operations from './operations.ts';
import { type Operation, type OperationSource, toRequest } from './operations.ts';
import type { ConnectionStep, DifferentialRequest, Step } from './step.ts';
import { TreeModel } from './tree-model.ts';

/** What a run is made of. */
export interface GeneratorOptions {
  readonly seed: number;
  readonly sessionCount: number;
  /** Requests per write at most; 1 turns pipelining off. */
  readonly batchMax: number;
  /** Whether quotas are made and changed. */
  readonly quotas: boolean;
  /** Whether a session may become super by digest super:test. */
  readonly superUser: boolean;
}

/** Draws the steps of one run from its seed. */
export class StepGenerator {
  readonly #options: GeneratorOptions;
  readonly #random: SeededRandom;
  readonly #model: TreeModel;
  #xids: number[];
  #zxid = 0;
  /** Operations that belong together and go out one by one when there is no pipelining. */
  #queued: Operation[] = [];

  constructor(options: GeneratorOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.#model = new TreeModel(this.#random);
    this.#xids = Array.from({ length: options.sessionCount }, () => 0);
  }

  /** The next step. */
  next(): Step {
    const random = this.#random;
    const session = random.below(this.#options.sessionCount);
    if (random.oneIn(100)) return this.#connectionStep(session);
    if (random.oneIn(250)) return this.#bytesStep(session);
    if (random.oneIn(100)) return this.#closingStep(session);
    if (random.oneIn(50)) return this.#authStep(session);
    return { kind: 'requests', session, requests: this.#batch(session) };
  }

  /** Learns from what the reference server answered to `step`. */
  observe(step: Step, frames: readonly CanonicalFrame[]): void {
    const requests = step.kind === 'requests' ? step.requests : [];
    let next = 0;
    for (const frame of frames) {
      if (frame.zxid > this.#zxid) this.#zxid = frame.zxid;
      const request = requests[next];
      if (!('xid' in frame) || request === undefined) continue;
      next++;
      this.#model.observe(request, frame);
    }
  }

  #source(): OperationSource {
    return { random: this.#random, model: this.#model, zxid: this.#zxid };
  }

  #batch(session: number): DifferentialRequest[] {
    const { batchMax } = this.#options;
    const size = this.#random.oneIn(2) ? 1 : 1 + this.#random.below(batchMax);
    const requests: DifferentialRequest[] = [];
    for (let i = 0; i < size; i++) {
      for (const operation of this.#operations()) requests.push(this.#request(session, operation));
      // Until it is applied, Java checks what follows against the ACL that setACL replaces.
      if (requests.at(-1)?.type === OpCode.setACL) break;
    }
    return requests;
  }

  #operations(): Operation[] {
    const queued = this.#queued.shift();
    if (queued !== undefined) return [queued];
    const source = this.#source();
    const { random } = source;
    if (this.#options.quotas && random.oneIn(12)) {
      if (random.below(3) < 2) return [operations.readQuota(source)];
      this.#queued = operations.quota(source);
      return this.#operations();
    }
    const make = random.weighted<(source: OperationSource) => Operation>([
      [22, operations.create],
      [10, operations.deleteNode],
      [16, operations.setData],
      [4, operations.setAcl],
      [24, operations.read],
      [6, operations.pathOnly],
      [1, operations.whoAmI],
      [3, operations.addWatch],
      [3, operations.removeOrCheckWatches],
      [2, operations.setWatches],
      [8, operations.multi],
      [3, operations.multiRead],
      [1, operations.reconfig],
      [2, operations.truncated],
      [1, operations.oddText],
    ]);
    return [make(source)];
  }

  #request(session: number, operation: Operation): DifferentialRequest {
    const next = (this.#xids[session] ?? 0) + 1;
    this.#xids[session] = next;
    return toRequest(operation, next);
  }

  #connectionStep(session: number): ConnectionStep {
    const kind = this.#random.weighted([
      [6, 'reconnect' as const],
      [1, 'reconnect-wrong-password' as const],
      [1, 'reconnect-unknown-session' as const],
      [1, 'reconnect-future-zxid' as const],
      [1, 'reconnect-old-form' as const],
    ]);
    return { kind, session };
  }

  #bytesStep(session: number): Step {
    const [text, digits] = this.#random.pick([
      ['a negative length', 'ffffffff'],
      ['a length beyond jute.maxbuffer', '00100000'],
      ['a huge length', '7fffffff'],
      ['an empty frame', '00000000'],
      ['a frame that holds half a header', '0000000400000001'],
    ] as const);
    return { kind: 'bytes', session, text, bytes: Buffer.from(digits, 'hex') };
  }

  /** Requests whose last one makes the server close. */
  #closingStep(session: number): Step {
    const random = this.#random;
    if (random.oneIn(3)) {
      const type = random.pick([OpCode.notification, 77, 99, -5, 10]);
      const unknown: Operation = { type, paths: [], text: `opcode ${type}`, write: () => {} };
      return {
        kind: 'requests',
        session,
        requests: [this.#request(session, unknown)],
        closes: 'connection',
      };
    }
    if (random.oneIn(4)) {
      const requests = [this.#auth('nonsense', 'x')];
      return { kind: 'requests', session, requests, closes: 'connection' };
    }
    const close: Operation = {
      type: OpCode.closeSession,
      paths: [],
      text: 'closeSession',
      write: () => {},
    };
    const requests = [...this.#batch(session), this.#request(session, close)];
    return { kind: 'requests', session, requests, closes: 'session' };
  }

  /** Authentication takes effect at once, past what is queued, so it goes alone. */
  #authStep(session: number): Step {
    const random = this.#random;
    const user = random.below(3);
    const requests =
      this.#options.superUser && random.oneIn(10)
        ? [this.#auth('digest', 'super:test')]
        : [this.#auth('digest', random.oneIn(6) ? 'no-password' : `user${user}:password${user}`)];
    return { kind: 'requests', session, requests };
  }

  #auth(scheme: string, auth: string): DifferentialRequest {
    const write = (writer: JuteWriter): void => {
      writer.writeInt(0);
      writer.writeString(scheme);
      writer.writeBuffer(Buffer.from(auth));
    };
    return {
      type: OpCode.auth,
      xid: -4,
      paths: [],
      text: `auth ${scheme} ${auth}`,
      payload: encodeRequest(-4, OpCode.auth, write),
    };
  }
}

/** The steps every run starts with: the roots, in the first session. */
export function firstSteps(roots: readonly string[]): Step[] {
  return roots.map((root, index) => ({
    kind: 'requests',
    session: 0,
    requests: [toRequest(operations.plainCreate(root, 'root'), 1_000_000 + index)],
  }));
}
