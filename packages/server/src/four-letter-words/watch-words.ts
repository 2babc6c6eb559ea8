import { formatLong } from '@meerkat/protocol';
import { Phase } from '../listener/client-connection.ts';
import type { SessionIdView } from './server-view.ts';
import { peerText } from './status-words.ts';
import { type Word, type WordContext, whenServing } from './word-context.ts';

/** `wchs`: how many watch how much. */
export const wchs: Word = whenServing(({ view }) => {
  const { connections, paths, watches } = view.watchTotals();
  return `${connections} connections watching ${paths} paths\nTotal watches:${watches}\n`;
});

/** `wchc`: who watches what. */
export const wchc: Word = whenServing(function* ({ view }) {
  yield* tree(view.watchesBySession(), sessionText, (path) => path);
  yield '\n';
});

/** `wchp`: what is watched by whom. */
export const wchp: Word = whenServing(function* ({ view }) {
  yield* tree(view.watchesByPath(), (path) => path, sessionText);
  yield '\n';
});

/** `dump`: sessions by the time at which they expire, and their ephemerals. */
export const dump: Word = whenServing(function* (context) {
  const { view } = context;
  yield 'SessionTracker dump:\n';
  yield* sessionSets(context);
  yield 'ephemeral nodes dump:\n';
  yield `Sessions with Ephemerals (${view.sessionsWithEphemerals}):\n`;
  yield* tree(
    view.ephemerals(),
    (id) => `${sessionText(id)}:`,
    (path) => path,
  );
  yield 'Connections dump:\n';
  yield* connectionSets(context);
});

function* sessionSets({ view }: WordContext): Iterable<string> {
  const sets = [...view.sessionsByExpiry()].filter(({ sessions }) => sessions.length > 0);
  const count = sets.reduce((sum, { sessions }) => sum + sessions.length, 0);
  yield `Session Sets (${sets.length})/(${count}):\n`;
  for (const { expiresWallMs, sessions } of sets) {
    yield `${sessions.length} expire at ${javaDate(expiresWallMs)}:\n`;
    for (const id of sessions) yield `\t${sessionText(id)}\n`;
  }
}

/** Connections by the time at which their session expires; without a session they come last. */
function* connectionSets({ view, connections }: WordContext): Iterable<string> {
  const expiryOf = new Map<string, number>();
  for (const { expiresWallMs, sessions } of view.sessionsByExpiry()) {
    for (const id of sessions) {
      expiryOf.set(sessionText(id), expiresWallMs);
      yield '';
    }
  }
  const sets = new Map<number, string[]>();
  for (const connection of connections().values()) {
    if (connection.phase === Phase.closing) continue;
    const session = view.connectionStatistics(connection.id)?.session ?? null;
    const id = session === null ? '0x0' : sessionText(session.id);
    const expires = expiryOf.get(id) ?? Number.POSITIVE_INFINITY;
    const lines = sets.get(expires) ?? [];
    lines.push(`\tip: ${peerText(connection)} sessionId: ${id}\n`);
    sets.set(expires, lines);
    yield '';
  }
  const sorted = [...sets].sort(([a], [b]) => a - b);
  const count = sorted.reduce((sum, [, lines]) => sum + lines.length, 0);
  yield `Connections Sets (${sorted.length})/(${count}):\n`;
  for (const [expires, lines] of sorted) {
    const when = Number.isFinite(expires) ? javaDate(expires) : 'the end of their handshake';
    yield `${lines.length} expire at ${when}:\n`;
    yield* lines;
  }
}

function* tree<Head, Leaf>(
  entries: Iterable<readonly [Head, Iterable<Leaf>]>,
  headText: (head: Head) => string,
  leafText: (leaf: Leaf) => string,
): Iterable<string> {
  for (const [head, leaves] of entries) {
    yield `${headText(head)}\n`;
    for (const leaf of leaves) yield `\t${leafText(leaf)}\n`;
  }
}

function sessionText({ hi, lo }: SessionIdView): string {
  return formatLong(hi, lo);
}

/** As `java.util.Date` prints it, in UTC: `Fri Nov 20 19:35:24 UTC 2026`. */
export function javaDate(wallMs: number): string {
  const [day = '', date, month, year, time] = new Date(wallMs).toUTCString().split(/,? /);
  return `${day} ${month} ${date} ${time} UTC ${year}`;
}
