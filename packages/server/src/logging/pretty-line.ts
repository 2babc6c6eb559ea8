const levelNames: Readonly<Record<number, string>> = {
  20: 'DEBUG',
  30: 'INFO ',
  40: 'WARN ',
  50: 'ERROR',
  60: 'FATAL',
};

/** A JSON log line as people like it: `12:00:00.123 INFO  message key=value`. */
export function prettyLine(json: string): string {
  const { level, time, msg, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const at = new Date(Number(time));
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map(twoDigits).join(':');
  const ms = String(at.getMilliseconds()).padStart(3, '0');
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${valueText(value)}`);
  return `${clock}.${ms} ${levelNames[Number(level)] ?? '     '} ${String(msg)}${rest.join('')}\n`;
}

function twoDigits(n: number): string {
  return String(n).padStart(2, '0');
}

function valueText(value: unknown): string {
  return typeof value === 'string' && /^\S+$/.test(value) ? value : JSON.stringify(value);
}
