import { connect } from 'node:net';

/**
 * Sends a four-letter word and returns the answer's text; an empty string when the server closed without one.
 * Rejects when nothing listens or no answer comes within `timeoutMs`.
 */
export function fourLetterWord(
  port: number,
  word: string,
  timeoutMs = 2_000,
  host = '127.0.0.1',
): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ port, host }, () => socket.write(word));
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer to ${word}`)));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('error', reject);
    socket.once('close', (hadError) => {
      if (!hadError) resolve(Buffer.concat(chunks).toString('utf8'));
    });
  });
}

/** Whether the server at `port` serves requests (answers `srvr` with its mode). */
export async function isServing(port: number): Promise<boolean> {
  try {
    return (await fourLetterWord(port, 'srvr')).includes('Mode:');
  } catch {
    return false;
  }
}
