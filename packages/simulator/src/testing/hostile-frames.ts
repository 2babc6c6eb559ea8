import type { Random } from '@meerkat/engine';
import { OpCode } from '@meerkat/protocol';
import { type RequestCorpus, requestCorpus } from './request-corpus.ts';

/**
 * An endless, seeded stream of frames that a server must survive: some as clients send them, so that its
 * state moves on, most of them damaged.
 */
export class HostileFrames {
  readonly #random: Random;
  readonly #corpus: RequestCorpus;

  constructor(random: Random, corpus: RequestCorpus = requestCorpus()) {
    this.#random = random;
    this.#corpus = corpus;
  }

  /** A sound first frame for a connection, so that what follows is read as requests. */
  nextHandshake(): Uint8Array {
    return pick(this.#random, this.#corpus.handshakes);
  }

  /** A first frame that may be damaged. */
  nextHostileHandshake(): Uint8Array {
    return this.#random.below(2) === 0
      ? this.nextHandshake()
      : mutate(this.#random, this.nextHandshake());
  }

  /** A request: one in eight as it is, some two spliced into one, the others mutated. */
  nextRequest(): Uint8Array {
    const random = this.#random;
    const frame = pick(random, this.#corpus.requests);
    const choice = random.below(8);
    if (choice === 0) return frame;
    if (choice === 1) return splice(random, frame, pick(random, this.#corpus.requests));
    return mutate(random, frame);
  }
}

/**
 * Damages a frame in one to three ways, always the same ones for the same random numbers. Most results
 * still have a right length, so that the damage reaches the decoder of the record.
 *
 * @param frame with its four length bytes; not changed
 * @returns another array, with four length bytes, and not much longer than `frame`
 */
export function mutate(random: Random, frame: Uint8Array): Uint8Array {
  let body = frame.slice(4);
  for (let times = 1 + random.below(3); times > 0; times--) {
    body = pick(random, bodyMutations)(random, body);
  }
  const damaged = framed(body);
  const choice = random.below(16);
  if (choice === 0) return lieAboutLength(random, damaged);
  if (choice === 1) return damaged.slice(0, 1 + random.below(damaged.length));
  return damaged;
}

/** The head of one frame and the tail of another, cut anywhere behind the header. */
export function splice(random: Random, head: Uint8Array, tail: Uint8Array): Uint8Array {
  const headEnd = Math.min(head.length, 12 + random.below(head.length));
  const tailStart = random.below(tail.length);
  return framed(join(head.subarray(Math.min(4, headEnd), headEnd), tail.subarray(tailStart)));
}

/** A way to damage the body of a frame; may change `body` or return another array. */
type BodyMutation = (random: Random, body: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;

const flipBits: BodyMutation = (random, body) => {
  if (body.length === 0) return body;
  for (let count = 1 + random.below(8); count > 0; count--) {
    const at = random.below(body.length);
    body[at] = (body[at] as number) ^ (1 << random.below(8));
  }
  return body;
};

/** Replaces four bytes anywhere, so at times a length, a count, a version or flags. */
const lieAboutNumber: BodyMutation = (random, body) => {
  if (body.length < 12) return body;
  const at = 8 + random.below(body.length - 11);
  new DataView(body.buffer).setInt32(at, hostileNumber(random, body.length));
  return body;
};

/** Replaces an int that is small enough to be a length or a count. */
const lieAboutCount: BodyMutation = (random, body) => {
  const view = new DataView(body.buffer);
  const start = 8 + random.below(Math.max(1, body.length));
  for (let at = start; at + 4 <= body.length; at++) {
    const value = view.getInt32(at);
    if (value < -1 || value > body.length) continue;
    view.setInt32(at, hostileNumber(random, value));
    return body;
  }
  return body;
};

const truncate: BodyMutation = (random, body) => body.slice(0, random.below(body.length + 1));

const append: BodyMutation = (random, body) =>
  join(body, randomBytes(random, 1 + random.below(64)));

const insert: BodyMutation = (random, body) => {
  const at = random.below(body.length + 1);
  const inserted = randomBytes(random, 1 + random.below(8));
  return join(join(body.subarray(0, at), inserted), body.subarray(at));
};

const remove: BodyMutation = (random, body) => {
  const at = random.below(body.length + 1);
  return join(body.subarray(0, at), body.subarray(at + 1 + random.below(8)));
};

const changeOpcode: BodyMutation = (random, body) => {
  if (body.length < 8) return body;
  const known = Object.values(OpCode);
  const opcode =
    random.below(2) === 0
      ? pick(random, known)
      : pick(random, [random.below(256) - 128, -(2 ** 31)]);
  new DataView(body.buffer).setInt32(4, opcode);
  return body;
};

const changeXid: BodyMutation = (random, body) => {
  if (body.length < 4) return body;
  new DataView(body.buffer).setInt32(
    0,
    pick(random, [-1, -2, -4, -8, 0, 1, -(2 ** 31), 2 ** 31 - 1]),
  );
  return body;
};

/** Puts bytes that are no UTF-8, or characters that no path has, over what looks like text. */
const spoilText: BodyMutation = (random, body) => {
  const start = random.below(Math.max(1, body.length));
  const at = body.findIndex((byte, index) => index >= start && byte >= 0x20 && byte < 0x7f);
  if (at === -1) return body;
  const spoiled = Uint8Array.from(pick(random, spoilers)).subarray(0, body.length - at);
  body.set(spoiled, at);
  return body;
};

/** Puts the whole request into a multi, several times over or several levels deep. */
const wrapInMulti: BodyMutation = (random, body) => {
  if (body.length < 8 || body.length > 4096) return body;
  const type = body.slice(4, 8);
  const part = join(join(type, noError), body.subarray(8));
  const isDeep = random.below(2) === 0;
  const multi = isDeep ? deepMulti(random, part) : wideMulti(random, part);
  const opcode = pick(random, [OpCode.multi, OpCode.multi, OpCode.multiRead]);
  const header = new Uint8Array(8);
  header.set(body.subarray(0, 4));
  new DataView(header.buffer).setInt32(4, opcode);
  return join(header, multi);
};

const scramble: BodyMutation = (random, body) => {
  if (body.length < 9) return body;
  const at = 8 + random.below(body.length - 8);
  body.set(randomBytes(random, body.length - at), at);
  return body;
};

const bodyMutations: readonly BodyMutation[] = [
  flipBits,
  flipBits,
  lieAboutNumber,
  lieAboutCount,
  lieAboutCount,
  truncate,
  append,
  insert,
  remove,
  changeOpcode,
  changeXid,
  spoilText,
  wrapInMulti,
  scramble,
];

/** The rest of a multi's header behind its type: not done, err -1. */
const noError = Uint8Array.of(0, 0xff, 0xff, 0xff, 0xff);
const multiEnd = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1, 0xff, 0xff, 0xff, 0xff);
const nestedMulti = join(Uint8Array.of(0, 0, 0, OpCode.multi), noError);

const spoilers: readonly (readonly number[])[] = [
  [0x00],
  [0x1f],
  [0x7f],
  [0x80],
  [0xff],
  [0xc0, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xf0, 0x9f, 0x98, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xef, 0xbf, 0xbf],
  [0x2f, 0x2f],
  [0x2f, 0x2e, 0x2e, 0x2f],
];

function wideMulti(random: Random, part: Uint8Array): Uint8Array<ArrayBuffer> {
  let multi = new Uint8Array(0);
  for (let count = 1 + random.below(20); count > 0; count--) multi = join(multi, part);
  return random.below(4) === 0 ? multi : join(multi, multiEnd);
}

function deepMulti(random: Random, part: Uint8Array): Uint8Array<ArrayBuffer> {
  const depth = pick(random, [1, 2, 10, 1000]);
  const opened = new Uint8Array(nestedMulti.length * depth);
  const closed = new Uint8Array(multiEnd.length * (depth + 1));
  for (let level = 0; level < depth; level++) opened.set(nestedMulti, level * nestedMulti.length);
  for (let level = 0; level <= depth; level++) closed.set(multiEnd, level * multiEnd.length);
  const multi = join(opened, part);
  return random.below(4) === 0 ? multi : join(multi, closed);
}

function lieAboutLength(random: Random, frame: Uint8Array<ArrayBuffer>): Uint8Array {
  const length = frame.length - 4;
  const lies = [length - 1, length + 1, length + 1000, 0xfffff, 0x100000, 0x72756f6b];
  const lie = random.below(2) === 0 ? pick(random, lies) : hostileNumber(random, length);
  new DataView(frame.buffer).setInt32(0, lie);
  return frame;
}

function hostileNumber(random: Random, near: number): number {
  const numbers = [
    -1,
    0,
    1,
    -2,
    near - 1,
    near + 1,
    near * 2,
    0xffff,
    0xfffff,
    2 ** 31 - 1,
    -(2 ** 31),
  ];
  return pick(random, numbers);
}

function randomBytes(random: Random, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, () => random.below(256));
}

function framed(body: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(4 + body.length);
  new DataView(frame.buffer).setInt32(0, body.length);
  frame.set(body, 4);
  return frame;
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)] as T;
}
