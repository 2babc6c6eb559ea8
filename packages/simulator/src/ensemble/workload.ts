import { OpCode } from '@meerkat/protocol';
import type { ModelRead } from '../model/model-reads.ts';
import type { ModelWrite } from '../model/model-tree.ts';
import * as operations from '../model/operations.ts';
import { credentials, digestId, drawRequest } from '../model/random-requests.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { OpenOptions } from './simulated-client.ts';

/** The paths that a client may know. */
export type KnownPaths = Pick<ReadonlyMap<string, unknown>, 'size' | 'keys'>;

/** What simulated clients ask for: every operation, over few paths, so that they meet. */
export class Workload {
  readonly #random: SeededRandom;
  readonly #tickTimeMs: number;
  readonly #hasEphemerals: boolean;
  readonly #ttlMsMax: number;

  /**
   * @param hasEphemerals whether any are asked for; default true
   * @param ttlMsMax how long TTL znodes stay at most; by default they outlive everything
   */
  constructor(
    random: SeededRandom,
    tickTimeMs: number,
    { hasEphemerals = true, ttlMsMax = 0 }: { hasEphemerals?: boolean; ttlMsMax?: number } = {},
  ) {
    this.#random = random;
    this.#tickTimeMs = tickTimeMs;
    this.#hasEphemerals = hasEphemerals;
    this.#ttlMsMax = ttlMsMax;
  }

  /**
   * How a client opens a session.
   *
   * @param mayBeReadOnly whether half of them take a member without a leader
   */
  drawOpening(mayBeReadOnly = false): OpenOptions {
    const random = this.#random;
    return {
      canBeReadOnly: mayBeReadOnly && random.percent(50),
      sessionTimeoutMs: this.#tickTimeMs * (2 + random.below(random.percent(50) ? 4 : 10)),
      credentials: random.percent(30) ? { auth: credentials, digestId } : null,
    };
  }

  /** What a client sends in one turn. */
  drawBurst(known: KnownPaths): readonly (ModelRead | ModelWrite)[] {
    const random = this.#random;
    const kind = random.below(100);
    if (kind < 8) return this.#drawSyncAndRead();
    if (kind < 14) return this.#drawNumbers();
    if (kind < 30) return this.#drawTidying(known);
    const burst: (ModelRead | ModelWrite)[] = [];
    for (let count = 1 + random.below(5); count > 0; count--) burst.push(this.#drawOne());
    return burst;
  }

  #drawOne(): ModelRead | ModelWrite {
    for (;;) {
      const request = drawRequest(this.#random, 0);
      // The client's core sets watches anew; the configuration's node says what the ensemble is.
      if (request.kind === 'setWatches' || request.kind === 'malformed') continue;
      const text = JSON.stringify(request);
      if (text.includes('/zookeeper')) continue;
      if (!this.#hasEphemerals && ephemeralFlags.test(text)) continue;
      return this.#ttlMsMax === 0 ? request : this.#withTtl(request);
    }
  }

  #withTtl<Request extends ModelRead | ModelWrite>(request: Request): Request {
    if (request.kind === 'multi') {
      return { ...request, parts: request.parts.map((part) => this.#withTtl(part)) };
    }
    if (request.kind !== 'create' || request.type !== OpCode.createTTL) return request;
    return { ...request, ttlMs: 1 + this.#random.below(this.#ttlMsMax) };
  }

  #drawSyncAndRead(): readonly (ModelRead | ModelWrite)[] {
    const path = this.#random.percent(50) ? '/a' : '/b';
    return [
      { kind: 'sync', path },
      { kind: 'getData', path, watch: false },
    ];
  }

  /** Sequential znodes that come and go. */
  #drawNumbers(): readonly (ModelRead | ModelWrite)[] {
    const acl = operations.acl('world', 'anyone');
    const type = 1;
    return [
      { kind: 'create', type, path: '/a', data: null, acl, flags: 0 },
      {
        kind: 'create',
        type,
        path: '/a/n-',
        data: null,
        acl,
        flags: 2 + (this.#hasEphemerals ? this.#random.below(2) : 0),
      },
    ];
  }

  /** Deletes some of what is there, so that the tree stays small. */
  #drawTidying(known: KnownPaths): readonly (ModelRead | ModelWrite)[] {
    const random = this.#random;
    const paths = [...known.keys()].filter(
      (path) => path !== '/' && !path.startsWith('/zookeeper'),
    );
    const burst: ModelWrite[] = [];
    for (let count = known.size > 40 ? 8 : 2; count > 0 && paths.length > 0; count--) {
      burst.push({
        kind: 'delete',
        path: paths[random.below(paths.length)] as string,
        version: -1,
      });
    }
    return burst;
  }
}

/** A request, as text, that creates an ephemeral somewhere. */
const ephemeralFlags = /"flags":[13]\b/;
