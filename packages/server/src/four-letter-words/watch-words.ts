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
export const wchc: Word = whenServing(({ view }) => {
  return `${tree(view.watchesBySession(), sessionText, (path) => path)}\n`;
});

/** `wchp`: what is watched by whom. */
export const wchp: Word = whenServing(({ view }) => {
  return `${tree(view.watchesByPath(), (path) => path, sessionText)}\n`;
});

/** `dump`: sessions by the time at which they expire, and their ephemerals. */
export const dump: Word = whenServing((context) => {
  const { view } = context;
  const ephemerals = [...view.ephemerals()];
  const owned = tree(
    ephemerals,
    (id) => `${sessionText(id)}:`,
    (path) => path,
  );
  return [
    'SessionTracker dump:\n',
    sessionSets(context),
    'ephemeral nodes dump:\n',
    `Sessions with Ephemerals (${ephemerals.length}):\n`,
    owned,
    'Connections dump:\n',
    connectionSets(context),
  ].join('');
});

function sessionSets({ view }: WordContext): string {
  const sets = [...view.sessionsByExpiry()].filter(({ sessions }) => sessions.length > 0);
  const lines = sets.map(({ expiresWallMs, sessions }) => {
    const ids = sessions.map((id) => `\t${sessionText(id)}\n`).join('');
    return `${sessions.length} expire at ${javaDate(expiresWallMs)}:\n${ids}`;
  });
  const count = sets.reduce((sum, { sessions }) => sum + sessions.length, 0);
  return `Session Sets (${sets.length})/(${count}):\n${lines.join('')}`;
}

/** Connections by the time at which their session expires; without a session they come last. */
function connectionSets({ view, connections }: WordContext): string {
  const expiryOf = new Map<string, number>();
  for (const { expiresWallMs, sessions } of view.sessionsByExpiry()) {
    for (const id of sessions) expiryOf.set(sessionText(id), expiresWallMs);
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
  }
  const sorted = [...sets].sort(([a], [b]) => a - b);
  const count = sorted.reduce((sum, [, lines]) => sum + lines.length, 0);
  const texts = sorted.map(([expires, lines]) => {
    const when = Number.isFinite(expires) ? javaDate(expires) : 'the end of their handshake';
    return `${lines.length} expire at ${when}:\n${lines.join('')}`;
  });
  return `Connections Sets (${sorted.length})/(${count}):\n${texts.join('')}`;
}

function tree<Head, Leaf>(
  entries: Iterable<readonly [Head, readonly Leaf[]]>,
  headText: (head: Head) => string,
  leafText: (leaf: Leaf) => string,
): string {
  const lines: string[] = [];
  for (const [head, leaves] of entries) {
    lines.push(`${headText(head)}\n`);
    for (const leaf of leaves) lines.push(`\t${leafText(leaf)}\n`);
  }
  return lines.join('');
}

function sessionText({ hi, lo }: SessionIdView): string {
  return formatLong(hi, lo);
}

/** As `java.util.Date` prints it, in UTC: `Fri Nov 20 19:35:24 UTC 2026`. */
export function javaDate(wallMs: number): string {
  const [day = '', date, month, year, time] = new Date(wallMs).toUTCString().split(/,? /);
  return `${day} ${month} ${date} ${time} UTC ${year}`;
}
