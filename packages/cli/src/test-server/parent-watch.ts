import { fstatSync } from 'node:fs';
import type { Readable } from 'node:stream';

/** What a process can see of the one that started it. */
export interface ParentView {
  /** The number of the parent now; it changes when the parent ends. */
  ppid(): number;
  /** Whether a process with this number is there. */
  isAlive(pid: number): boolean;
  /** Standard input, when it is a pipe whose other end the parent may hold; null for a terminal, a file or nothing. */
  readonly input: Readable | null;
}

/** The parent of this process, on Linux and macOS. */
export const processParent: ParentView = {
  ppid: () => process.ppid,
  isAlive,
  get input() {
    return isPipe(0) ? process.stdin : null;
  },
};

/** How often the parent is looked for, ms. */
const lookMs = 200;

/**
 * Calls `onGone` once when whoever started this process is gone: when the pipe to standard input ends, when the process has a new
 * parent, or when the process `pid` is no more.
 *
 * @param pid a process to watch beside the parent, for those who start through another program; null is none
 * @returns the function that ends the watch
 */
export function watchParent(
  onGone: () => void,
  pid: number | null,
  view: ParentView = processParent,
): () => void {
  const parent = view.ppid();
  const { input } = view;
  let isOver = false;
  const timer = setInterval(() => {
    if (view.ppid() !== parent || (pid !== null && !view.isAlive(pid))) gone();
  }, lookMs);
  for (const event of ['end', 'close', 'error']) input?.on(event, gone);
  // What is written to it means nothing; its end is only seen by reading.
  input?.resume();
  return stop;

  function gone(): void {
    if (isOver) return;
    stop();
    onGone();
  }

  function stop(): void {
    isOver = true;
    clearInterval(timer);
    input?.pause();
  }
}

function isPipe(descriptor: number): boolean {
  try {
    const stat = fstatSync(descriptor);
    return stat.isFIFO() || stat.isSocket();
  } catch {
    // It is closed.
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
