import { OpCode } from '@meerkat/protocol';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { CanonicalFrame } from './canonical-reply.ts';
import type { DifferentialRequest } from './step.ts';

const roots = ['/a', '/b', '/acl', '/q1', '/q2'] as const;
const names = [
  'x',
  'y',
  'z',
  'long-name-with-more-letters',
  '猫鼬',
  'é',
  's-',
  '.dot',
  '...',
] as const;

const invalidPaths = [
  'a',
  '//',
  '/a//b',
  '/a/',
  '/a/.',
  '/a/..',
  '/a/../b',
  '/a/./b',
  '/a\u0000b',
  '/a\u0001',
  '/a\u001f',
  '/a\u007f',
  '/a\u009f',
  '/a\u{f8ff}',
  '/a\ufff0',
  '/a/x/',
] as const;

const systemPaths = [
  '/',
  '/zookeeper',
  '/zookeeper/quota',
  '/zookeeper/config',
  '/zookeeper/quota/q1',
] as const;

/** How a path may be watched: Java 3.8 keeps one mode per connection and path, so each path has one. */
export type WatchKind = 'standard' | 'persistent' | 'recursive';

/**
 * What the tree probably looks like, learnt from the replies of the reference server, so that requests hit nodes that
 * exist about as often as nodes that do not.
 */
export class TreeModel {
  #random: SeededRandom;
  #known: string[] = [...roots];
  #knownSet = new Set<string>(this.#known);
  #watched: string[] = [];

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** A path to read, write, delete or watch: mostly one that exists. */
  path(): string {
    const random = this.#random;
    if (random.oneIn(60)) return random.pick(invalidPaths);
    if (random.oneIn(40)) return random.pick(systemPaths);
    // Some paths come up again and again, so that watches, versions and sequences meet.
    if (random.oneIn(5)) return this.#known[random.below(Math.min(12, this.#known.length))] ?? '/a';
    if (random.below(10) < 7) return random.pick(this.#known);
    return this.#below(random.pick(this.#known));
  }

  /** A path to create: mostly one whose parent exists. */
  newPath(): string {
    const random = this.#random;
    if (random.oneIn(60)) return random.pick(invalidPaths);
    if (random.oneIn(60)) return random.pick(systemPaths);
    if (random.oneIn(25)) return random.pick(roots);
    if (random.oneIn(15)) return this.#below(this.#below(random.pick(this.#known)));
    return this.#below(random.pick(this.#known));
  }

  /** A path that is watched in the given way. */
  pathOfKind(...kinds: readonly WatchKind[]): string {
    let path = this.path();
    for (let tries = 0; tries < 20 && !kinds.includes(watchKind(path)); tries++) path = this.path();
    return path;
  }

  /** Takes note of a path that somebody watches now. */
  noteWatch(path: string): void {
    this.#watched.push(path);
    if (this.#watched.length > 40) this.#watched.shift();
  }

  /** A path that was watched lately, or any. */
  watchedPath(): string {
    const random = this.#random;
    return this.#watched.length === 0 || random.oneIn(4) ? this.path() : random.pick(this.#watched);
  }

  /** Takes note of what a reply says about the tree. */
  observe(request: DifferentialRequest, reply: CanonicalFrame): void {
    if (!('xid' in reply) || reply.err !== 0) return;
    switch (request.type) {
      case OpCode.create:
        this.#add(reply.body);
        break;
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTTL:
        this.#add((reply.body as { path?: unknown } | null)?.path);
        break;
      case OpCode.delete:
        this.#remove(request.paths[0] ?? '');
        break;
      case OpCode.multi:
        this.#observeMulti(request, reply.body);
        break;
      default:
        break;
    }
  }

  #observeMulti(request: DifferentialRequest, body: unknown): void {
    if (!Array.isArray(body)) return;
    const results = body as { type: number; body: unknown }[];
    if (results.some((result) => result.type === OpCode.error)) return;
    results.forEach((result, index) => {
      if (result.type === OpCode.create) this.#add(result.body);
      else if (result.type === OpCode.delete) this.#remove(request.paths[index] ?? '');
      else this.#add((result.body as { path?: unknown } | null)?.path);
    });
  }

  #add(path: unknown): void {
    if (typeof path !== 'string' || path.startsWith('/zookeeper') || this.#knownSet.has(path))
      return;
    this.#knownSet.add(path);
    this.#known.push(path);
    // The tree is kept small, so that operations meet: forgotten nodes live on, only less visited.
    if (this.#known.length > 400) this.#remove(this.#known[roots.length] ?? '');
  }

  #remove(path: string): void {
    if (!this.#knownSet.delete(path)) return;
    this.#known.splice(this.#known.indexOf(path), 1);
    if ((roots as readonly string[]).includes(path)) {
      this.#knownSet.add(path);
      this.#known.unshift(path);
    }
  }

  #below(parent: string): string {
    const depth = parent.split('/').length;
    const base = depth > 5 ? this.#random.pick(roots) : parent;
    return `${base}/${this.#random.pick(names)}`;
  }
}

/** The one way in which `path` is watched in this run. */
export function watchKind(path: string): WatchKind {
  let hash = 7;
  for (let i = 0; i < path.length; i++) hash = (Math.imul(hash, 31) + path.charCodeAt(i)) >>> 0;
  const kind = hash % 5;
  return kind === 3 ? 'persistent' : kind === 4 ? 'recursive' : 'standard';
}

/** Nodes with ACLs of all kinds are made only here. */
export function isAclPath(path: string): boolean {
  return path === '/acl' || path.startsWith('/acl/');
}
