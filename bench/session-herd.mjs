// A process that holds many sessions, told by its parent what to do with them. Started by sessions.mjs.
import { performance } from 'node:perf_hooks';
import { RawSession } from './raw-session.mjs';

/** Sessions being opened at the same time: a listener's backlog is short. */
const atOnce = 100;
const sharedPath = '/watched-by-all';

/** @type {RawSession[]} */
let sessions = [];
let watchesEach = 0;
/** @type {NodeJS.Timeout | undefined} */
let pings;

/** @typedef {Record<'port' | 'count' | 'timeoutMs' | 'ephemerals' | 'each', number>} HerdArguments */
/** @type {Record<string, (argument: HerdArguments) => Promise<unknown>>} */
const tasks = {
  /** Opens sessions that ping from then on, evenly spread. */
  async open({ port, count, timeoutMs, ephemerals }) {
    sessions = Array.from({ length: count }, () => new RawSession(port, timeoutMs));
    await forEach(sessions, async (session, i) => {
      await session.connect();
      for (let k = 0; k < ephemerals; k++) await session.createEphemeral(`/herd-${i}-${k}`);
    });
    const everyMs = 100;
    const perTick = Math.ceil((count * everyMs * 3) / timeoutMs);
    let next = 0;
    pings = setInterval(() => {
      for (let i = 0; i < perTick; i++) sessions[next++ % sessions.length]?.ping();
    }, everyMs);
  },

  /** Sets watches on paths that nobody touches, and on one that all share. */
  async watch({ each }) {
    watchesEach = each;
    await forEach(sessions, (session, i) =>
      Promise.all(pathsOf(i).map((path) => session.watch(path))),
    );
  },

  async watchShared() {
    await forEach(sessions, (session) => session.watch(sharedPath));
  },

  /**
   * Waits until all have heard of a change; returns when the last one did.
   * @returns {Promise<number>}
   */
  hearAll({ timeoutMs }) {
    let heard = 0;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`only ${heard} heard of the change`)),
        timeoutMs,
      );
      for (const session of sessions) {
        session.onEvent = () => {
          heard++;
          if (heard < sessions.length) return;
          clearTimeout(timer);
          resolve(performance.timeOrigin + performance.now());
        };
      }
      process.send?.({ ready: true });
    });
  },

  /** Cuts all connections and comes back at once, with all watches. Returns how long that took, ms. */
  async reconnect() {
    for (const session of sessions) session.cut();
    const startMs = performance.now();
    const results = await Promise.all(
      sessions.map(async (session, i) => {
        await session.connect();
        const paths = pathsOf(i);
        if (paths.length > 0 && !session.hasExpired) await session.rearm(paths);
        return session.hasExpired;
      }),
    );
    return { tookMs: performance.now() - startMs, expired: results.filter(Boolean).length };
  },

  /** Falls silent: no session pings any more. */
  async silence() {
    clearInterval(pings);
  },

  async close() {
    clearInterval(pings);
    for (const session of sessions) session.close();
    sessions = [];
  },
};

process.on('message', (/** @type {{ task: string, argument: HerdArguments }} */ order) => {
  Promise.resolve(tasks[order.task]?.(order.argument)).then(
    (result) => process.send?.({ result }),
    (error) => process.send?.({ error: String(error) }),
  );
});

/** @param {number} session */
function pathsOf(session) {
  return Array.from({ length: watchesEach }, (_, i) => `/services/host-${session}/entry-${i}`);
}

/**
 * @param {RawSession[]} list
 * @param {(session: RawSession, i: number) => Promise<unknown>} act
 */
async function forEach(list, act) {
  for (let start = 0; start < list.length; start += atOnce) {
    await Promise.all(
      list.slice(start, start + atOnce).map((session, i) => act(session, start + i)),
    );
  }
}
