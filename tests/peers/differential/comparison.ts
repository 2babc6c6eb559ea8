import { type ServerOptions, ServerUnderTest, type Target } from '../support/server-under-test.ts';
import { firstSteps, type GeneratorOptions, StepGenerator } from './generator.ts';
import { type KnownDifference, sameFrame } from './known-differences.ts';
import { LockstepClient, type StepOutcome } from './lockstep-client.ts';
import { describeStep, type Step } from './step.ts';

/** A pair of servers and what they are asked. */
export interface ComparisonOptions extends GeneratorOptions {
  readonly subject: Target;
  readonly differences: readonly KnownDifference[];
  readonly server: Pick<ServerOptions, 'config' | 'systemProperties'>;
  /** Requests to send, about. */
  readonly requestCount: number;
}

/** The first step on which the servers disagreed. */
export interface Disagreement {
  readonly message: string;
  /** Everything that was sent, the failing step last. */
  readonly steps: readonly Step[];
}

/** How a run went. */
export interface ComparisonResult {
  readonly requestCount: number;
  readonly stepCount: number;
  readonly eventCount: number;
  /** Replies by `opcode/err`. */
  readonly replies: ReadonlyMap<string, number>;
  readonly disagreement?: Disagreement;
}

const roots = ['/a', '/b', '/acl', '/q1', '/q2', '/q2/x'];
const stepTimeoutMs = 30_000;
/** How often pending events of all sessions are collected. */
const stepsPerFlush = 100;

/** Draws steps from the seed and sends each to a Java server and to the subject until they disagree. */
export function compareServers(options: ComparisonOptions): Promise<ComparisonResult> {
  const generator = new StepGenerator(options);
  let sent = 0;
  function* steps(): Generator<Step> {
    yield* firstSteps(roots);
    while (sent < options.requestCount) {
      const step = generator.next();
      sent += step.kind === 'requests' ? step.requests.length : 1;
      yield step;
    }
  }
  return runSteps(options, steps(), (step, outcome) => generator.observe(step, outcome.frames));
}

/** Sends given steps to fresh servers; for replays. */
export async function runSteps(
  options: Pick<ComparisonOptions, 'subject' | 'server' | 'sessionCount' | 'differences'>,
  steps: Iterable<Step>,
  observe: (step: Step, reference: StepOutcome) => void = () => {},
): Promise<ComparisonResult> {
  const servers = await startBoth(options);
  const run = new Comparison(
    options,
    new LockstepClient(servers[0].port),
    new LockstepClient(servers[1].port),
  );
  try {
    return await run.run(steps, observe);
  } catch (error) {
    const logs = servers.map((server) => `--- log of ${server.target}\n${server.logTail(4_000)}`);
    throw new Error(`${String(error)}\n${logs.join('\n')}`, { cause: error });
  } finally {
    run.close();
    await Promise.all(servers.map((server) => server.kill()));
  }
}

async function startBoth(
  options: Pick<ComparisonOptions, 'subject' | 'server'>,
): Promise<[reference: ServerUnderTest, subject: ServerUnderTest]> {
  const [reference, subject] = await Promise.allSettled([
    ServerUnderTest.start({ target: 'java', ...options.server }),
    ServerUnderTest.start({ target: options.subject, ...options.server }),
  ]);
  if (reference.status === 'fulfilled' && subject.status === 'fulfilled') {
    return [reference.value, subject.value];
  }
  for (const start of [reference, subject]) {
    if (start.status === 'fulfilled') await start.value.kill();
  }
  throw reference.status === 'rejected'
    ? reference.reason
    : (subject as PromiseRejectedResult).reason;
}

class Comparison {
  readonly #options: Pick<ComparisonOptions, 'sessionCount' | 'differences'>;
  readonly #reference: LockstepClient;
  readonly #subject: LockstepClient;
  readonly #done: Step[] = [];
  readonly #replies = new Map<string, number>();
  #requestCount = 0;
  #eventCount = 0;

  constructor(
    options: Pick<ComparisonOptions, 'sessionCount' | 'differences'>,
    reference: LockstepClient,
    subject: LockstepClient,
  ) {
    this.#options = options;
    this.#reference = reference;
    this.#subject = subject;
  }

  async run(
    steps: Iterable<Step>,
    observe: (step: Step, reference: StepOutcome) => void,
  ): Promise<ComparisonResult> {
    const { sessionCount } = this.#options;
    await Promise.all([this.#reference.open(sessionCount), this.#subject.open(sessionCount)]);
    for (const step of steps) {
      const closesSession = step.kind === 'requests' && step.closes === 'session';
      // Around a closing session the events of the others are collected apart: they come in hash order.
      let message = closesSession ? await this.#flush(false) : undefined;
      this.#done.push(step);
      message ??= await this.#step(step, observe);
      if (message === undefined && (closesSession || this.#done.length % stepsPerFlush === 0)) {
        message = await this.#flush(closesSession);
      }
      if (message !== undefined) return this.#result(message);
    }
    const message = await this.#flush(false);
    return this.#result(message);
  }

  close(): void {
    this.#reference.close();
    this.#subject.close();
  }

  async #step(
    step: Step,
    observe: (step: Step, reference: StepOutcome) => void,
  ): Promise<string | undefined> {
    const settled = await Promise.allSettled([
      withTimeout(this.#reference.run(step), step),
      withTimeout(this.#subject.run(step), step),
    ]);
    const [reference, subject] = settled;
    if (reference.status === 'rejected') throw reference.reason;
    if (subject.status === 'rejected') {
      return `the subject failed: ${String(subject.reason)}\nreference: ${JSON.stringify(reference.value)}`;
    }
    this.#count(step, reference.value);
    observe(step, reference.value);
    return this.#compare(step, reference.value, subject.value, false);
  }

  async #flush(sorted: boolean): Promise<string | undefined> {
    const [reference, subject] = await Promise.all([
      this.#reference.flushAll(),
      this.#subject.flushAll(),
    ]);
    for (const [session, expected] of reference.entries()) {
      const message = this.#compare(undefined, expected, subject[session] as StepOutcome, sorted);
      if (message !== undefined) return `events of session ${session}: ${message}`;
    }
    return undefined;
  }

  #compare(
    step: Step | undefined,
    reference: StepOutcome,
    subject: StepOutcome,
    sorted: boolean,
  ): string | undefined {
    const requests = step?.kind === 'requests' ? step.requests : [];
    const expected = sorted ? sortFrames(reference.frames) : reference.frames;
    const actual = sorted ? sortFrames(subject.frames) : subject.frames;
    let next = 0;
    for (let i = 0; i < Math.max(expected.length, actual.length); i++) {
      const one = expected[i];
      const other = actual[i];
      const request = requests[next];
      if (one !== undefined && 'xid' in one) next++;
      if (
        one === undefined ||
        other === undefined ||
        !sameFrame(one, other, request, this.#options.differences)
      ) {
        return `frame ${i}${request === undefined ? '' : ` (${request.text})`}
  reference: ${JSON.stringify(one)}
  subject:   ${JSON.stringify(other)}`;
      }
    }
    const [ours, theirs] = [
      JSON.stringify(subject.handshakes),
      JSON.stringify(reference.handshakes),
    ];
    return ours === theirs ? undefined : `handshakes\n  reference: ${theirs}\n  subject:   ${ours}`;
  }

  #count(step: Step, outcome: StepOutcome): void {
    this.#requestCount += step.kind === 'requests' ? step.requests.length : 1;
    for (const frame of outcome.frames) {
      if ('event' in frame) {
        this.#eventCount++;
        continue;
      }
      const key = `${frame.type}/${frame.err}`;
      this.#replies.set(key, (this.#replies.get(key) ?? 0) + 1);
    }
  }

  #result(message: string | undefined): ComparisonResult {
    return {
      requestCount: this.#requestCount,
      stepCount: this.#done.length,
      eventCount: this.#eventCount,
      replies: this.#replies,
      ...(message === undefined ? {} : { disagreement: { message, steps: this.#done } }),
    };
  }
}

function sortFrames(frames: StepOutcome['frames']): StepOutcome['frames'] {
  const key = (frame: StepOutcome['frames'][number]): string =>
    'event' in frame ? `${frame.path} ${frame.event}` : '~';
  return [...frames].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

function withTimeout<T>(work: Promise<T>, step: Step): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`No answer within ${stepTimeoutMs} ms to ${describeStep(step)}`));
    }, stepTimeoutMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
