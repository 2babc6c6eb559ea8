// What the tree takes and how fast it is, without a server: node --expose-gc bench/tree-memory.mjs [znodes].
// For comparison the same znodes as a Map of path strings to objects: add the word map.
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { Tree } from '../packages/engine/dist/tree/tree.js';

const count = Number(process.argv[2] ?? 1_100_000);
const parents = Math.ceil(count / 1000);
const lookups = 1_000_000;
const data = new Uint8Array(100).fill(0x78);
const { gc } = globalThis;
assert(gc !== undefined, 'run with node --expose-gc');

if (process.argv.includes('map')) measureMap(() => gc());
else measureTree(() => gc());

/** @param {() => void} collect */
function measureTree(collect) {
  const options = { digestEnabled: true, extendedTypesEnabled: false, emulate353TtlNodes: false };
  const tree = new Tree(options);
  const path = new Uint8Array(64);
  collect();
  const emptyBytes = process.memoryUsage().rss;
  let zxid = 1;
  let worstMs = 0;
  /** @param {string} text @param {Uint8Array | null} content */
  const create = (text, content) => {
    const end = write(path, text);
    const startMs = performance.now();
    const now = 1_700_000_000_000 + zxid;
    const dataEnd = content?.length ?? 0;
    tree.createNode(path, 0, end, content, 0, dataEnd, -1, 0, 0, -1, ++zxid, now);
    worstMs = Math.max(worstMs, performance.now() - startMs);
  };
  const startMs = performance.now();
  create('/bench', null);
  for (let i = 0; i < parents; i++) create(parentPath(i), null);
  for (let i = 0; i < count; i++) create(childPath(i), data);
  report('create', ((performance.now() - startMs) * 1e6) / count, 'ns each');
  report('slowest create', worstMs, 'ms');
  reportCollection(collect);
  const resident = process.memoryUsage().rss - emptyBytes;
  report('resident', resident / count, 'bytes per znode');
  const { rowBytes, indexBytes, slabBytes } = tree.memory();
  report('  rows', rowBytes / count, 'bytes per znode');
  report('  index', indexBytes / count, 'bytes per znode');
  report('  names and data', slabBytes / count, 'bytes per znode');
  const { bytes, ends } = randomPaths();
  let found = 0;
  reportLookups('find', () => {
    for (let i = 0, start = 0; i < lookups; i++) {
      const end = /** @type {number} */ (ends[i]);
      if (tree.find(bytes, start, end) !== 0) found++;
      start = end;
    }
  });
  assert.equal(found % lookups, 0);
}

/** @param {() => void} collect */
function measureMap(collect) {
  collect();
  const emptyBytes = process.memoryUsage().rss;
  /** @type {Map<string, object>} */
  const nodes = new Map();
  for (let i = 0; i < count; i++) {
    const stat = { czxid: i, mzxid: i, pzxid: i, ctime: i, mtime: i, version: 0, cversion: 0 };
    const node = { data: Buffer.from(data), acl: -1, stat, aversion: 0, owner: 0, children: null };
    nodes.set(childPath(i), node);
  }
  reportCollection(collect);
  report('resident', (process.memoryUsage().rss - emptyBytes) / count, 'bytes per znode');
  const { bytes, ends } = randomPaths();
  let found = 0;
  reportLookups('find, the string made', () => {
    for (let i = 0, start = 0; i < lookups; i++) {
      const end = /** @type {number} */ (ends[i]);
      if (nodes.has(bytes.toString('latin1', start, end))) found++;
      start = end;
    }
  });
  assert.equal(found % lookups, 0);
}

/** @param {number} index */
function parentPath(index) {
  return `/bench/p${String(index).padStart(4, '0')}`;
}

/** @param {number} index */
function childPath(index) {
  return `${parentPath(index % parents)}/n${String(index).padStart(9, '0')}`;
}

/** Paths of znodes drawn at random, one behind the other. */
function randomPaths() {
  const bytes = Buffer.alloc(lookups * 32);
  const ends = new Int32Array(lookups);
  let at = 0;
  let draw = 12345;
  for (let i = 0; i < lookups; i++) {
    draw = (Math.imul(draw, 1103515245) + 12345) >>> 0;
    at += bytes.write(childPath(draw % count), at, 'latin1');
    ends[i] = at;
  }
  return { bytes, ends };
}

/**
 * @param {Uint8Array} target
 * @param {string} text ASCII
 */
function write(target, text) {
  for (let i = 0; i < text.length; i++) target[i] = text.charCodeAt(i);
  return text.length;
}

/** @param {() => void} collect */
function reportCollection(collect) {
  collect();
  const startMs = performance.now();
  collect();
  report('full collection', performance.now() - startMs, 'ms');
}

/**
 * @param {string} name
 * @param {() => void} work
 */
function reportLookups(name, work) {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const startMs = performance.now();
    work();
    best = Math.min(best, ((performance.now() - startMs) * 1e6) / lookups);
  }
  report(name, best, 'ns each');
}

/**
 * @param {string} name
 * @param {number} value
 * @param {string} unit
 */
function report(name, value, unit) {
  console.log(`${name}: ${value.toFixed(value < 10 ? 1 : 0)} ${unit}`);
}
