import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import {
  type RecordedEntry,
  RecordedHistory,
  type RecordedReport,
  Violation,
} from '@meerkat/simulator';
import { tickTimeMs } from './chaos-ensemble.ts';

/**
 * Reads a recorded history, and has the simulator's checkers look at it.
 *
 * @param say hears what they see, line by line
 * @throws Violation when a promise was broken; its text says in which line that shows
 */
export async function checkHistory(
  path: string,
  say?: (text: string) => void,
): Promise<RecordedReport> {
  const history = new RecordedHistory({ tickTimeMs, ...(say === undefined ? {} : { say }) });
  await eachLine(path, (entry) => history.gather(entry));
  history.settle();
  await eachLine(path, (entry) => history.follow(entry));
  return history.end();
}

async function eachLine(path: string, take: (entry: RecordedEntry) => void): Promise<void> {
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(path) })) {
    number += 1;
    try {
      take(parse(line, number, path));
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      throw new Violation(error.rule, `line ${number}: ${error.message}`);
    }
  }
}

function parse(line: string, number: number, path: string): RecordedEntry {
  try {
    return JSON.parse(line) as RecordedEntry;
  } catch {
    throw new Error(`Cannot read line ${number} of ${path}: current value is ${line.slice(0, 80)}`);
  }
}
