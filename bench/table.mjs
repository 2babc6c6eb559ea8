// Numbers as text.

/**
 * Prints a table: the first column to the left, the others to the right.
 * @param {string} title
 * @param {string[]} head
 * @param {(string | number)[][]} rows
 */
export function printTable(title, head, rows) {
  const all = [head, ...rows.map((row) => row.map(String))];
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  const line = (/** @type {string[]} */ row) =>
    `| ${widths
      .map((width, i) => {
        const cell = row[i] ?? '';
        return i === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join(' | ')} |`;
  console.log(`\n${title}\n`);
  console.log(line(head));
  console.log(
    `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`,
  );
  for (const row of all.slice(1)) console.log(line(row));
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** @param {number} value */
export function whole(value) {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : '-';
}

/** @param {number} us */
export function milliseconds(us) {
  return Number.isFinite(us) ? `${(us / 1000).toFixed(us < 10_000 ? 2 : 1)} ms` : '-';
}

/** @param {number} bytes */
export function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

/** @param {boolean} isMet */
export function verdict(isMet) {
  return isMet ? 'met' : 'missed';
}

/**
 * A number with so many digits behind the point.
 * @param {number} value
 * @param {number} digits
 */
export function fixed(value, digits) {
  return Number.isFinite(value) ? value.toFixed(digits) : '-';
}

/**
 * How often one number is in another.
 * @param {number} value
 * @param {number} base
 */
export function ratio(value, base) {
  return Number.isFinite(value / base) ? `${(value / base).toFixed(1)} x` : '-';
}
