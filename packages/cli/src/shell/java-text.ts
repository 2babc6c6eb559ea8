/**
 * Values as Java's zkCli prints them, so that programs which read its output can read ours.
 */
import type { StatFields } from '@meerkat/client';

/** The lines of a Stat (`StatPrinter.java`), each with its newline. */
export function formatStat(stat: StatFields): string {
  return [
    `cZxid = ${hex(stat.czxid)}`,
    `ctime = ${formatDate(stat.ctimeMs)}`,
    `mZxid = ${hex(stat.mzxid)}`,
    `mtime = ${formatDate(stat.mtimeMs)}`,
    `pZxid = ${hex(stat.pzxid)}`,
    `cversion = ${stat.cversion}`,
    `dataVersion = ${stat.version}`,
    `aclVersion = ${stat.aversion}`,
    `ephemeralOwner = ${hex(stat.ephemeralOwner)}`,
    `dataLength = ${stat.dataLength}`,
    `numChildren = ${stat.numChildren}`,
    '',
  ].join('\n');
}

/** A time as `java.util.Date` prints it: `Fri Nov 20 19:27:21 UTC 2026`, in the local time zone. */
export function formatDate(timeMs: number, timeZone?: string): string {
  const parts = new Intl.DateTimeFormat('en-US', {
    ...(timeZone === undefined ? {} : { timeZone }),
    weekday: 'short',
    month: 'short',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    year: 'numeric',
    timeZoneName: 'short',
  }).formatToParts(new Date(timeMs));
  const part = (type: Intl.DateTimeFormatPartTypes) =>
    parts.find((candidate) => candidate.type === type)?.value ?? '';
  const time = `${part('hour')}:${part('minute')}:${part('second')}`;
  const zone = zoneName(timeMs, part('timeZoneName'), timeZone);
  return `${part('weekday')} ${part('month')} ${part('day')} ${time} ${zone} ${part('year')}`;
}

/** A list as Java's collections print it. */
export function formatList(items: readonly string[]): string {
  return `[${items.join(', ')}]`;
}

/** An entry of an ACL's id as jute prints records, with the newline that belongs to it. */
export function formatId(scheme: string, id: string): string {
  return `'${escapeJute(scheme)},'${escapeJute(id)}\n`;
}

/** Bytes as Netty's `prettyHexDump` prints them, without a newline at the end. */
export function formatHexDump(bytes: Uint8Array): string {
  if (bytes.length === 0) return '';
  const line = `+--------+${'-'.repeat(49)}+${'-'.repeat(16)}+`;
  const lines = [
    `         +${'-'.repeat(49)}+`,
    '         |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |',
    line,
  ];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const digits = row.map((byte) => ` ${byte.toString(16).padStart(2, '0')}`).join('');
    const text = row.map((byte) =>
      byte <= 0x1f || byte >= 0x7f ? '.' : String.fromCharCode(byte),
    );
    const offset = at.toString(16).padStart(8, '0');
    lines.push(`|${offset}|${digits.padEnd(48)} |${text.join('').padEnd(16)}|`);
  }
  return [...lines, line].join('\n');
}

/** A 64-bit number as `Long.toHexString` prints it, after `0x`. */
function hex(value: bigint): string {
  return `0x${BigInt.asUintN(64, value).toString(16)}`;
}

function escapeJute(text: string): string {
  return text.replace(/[\0\n\r%,}]/g, (character) => {
    const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0');
    return `%${code}`;
  });
}

/**
 * The zone's abbreviation. Node's data has those of America and GMT only; Java has the table below
 * too, and prints an offset for the rest (`GMT+05:30`).
 */
function zoneName(timeMs: number, short: string, timeZone: string | undefined): string {
  if (!/^GMT[+-]/.test(short)) return short;
  const parts = new Intl.DateTimeFormat('en-US', {
    ...(timeZone === undefined ? {} : { timeZone }),
    timeZoneName: 'long',
  }).formatToParts(new Date(timeMs));
  const long = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
  return zoneAbbreviations[long] ?? offsetOf(short);
}

/** `GMT+5:30` -> `GMT+05:30`, `GMT-3` -> `GMT-03:00`. */
function offsetOf(short: string): string {
  const [, sign = '+', hours = '0', minutes = '00'] =
    /^GMT([+-])(\d+)(?::(\d+))?/.exec(short) ?? [];
  return `GMT${sign}${hours.padStart(2, '0')}:${minutes}`;
}

const zoneAbbreviations: Readonly<Record<string, string>> = {
  'Australian Central Standard Time': 'ACST',
  'Australian Central Daylight Time': 'ACDT',
  'Australian Eastern Standard Time': 'AEST',
  'Australian Eastern Daylight Time': 'AEDT',
  'Australian Western Standard Time': 'AWST',
  'British Summer Time': 'BST',
  'Central Africa Time': 'CAT',
  'Central European Standard Time': 'CET',
  'Central European Summer Time': 'CEST',
  'China Standard Time': 'CST',
  'East Africa Time': 'EAT',
  'Eastern European Standard Time': 'EET',
  'Eastern European Summer Time': 'EEST',
  'Hong Kong Standard Time': 'HKT',
  'India Standard Time': 'IST',
  'Indochina Time': 'ICT',
  'Irish Standard Time': 'IST',
  'Israel Standard Time': 'IST',
  'Israel Daylight Time': 'IDT',
  'Japan Standard Time': 'JST',
  'Korean Standard Time': 'KST',
  'Moscow Standard Time': 'MSK',
  'New Zealand Standard Time': 'NZST',
  'New Zealand Daylight Time': 'NZDT',
  'Pakistan Standard Time': 'PKT',
  'Philippine Standard Time': 'PST',
  'South Africa Standard Time': 'SAST',
  'West Africa Standard Time': 'WAT',
  'Western European Standard Time': 'WET',
  'Western European Summer Time': 'WEST',
  'Western Indonesia Time': 'WIB',
};
