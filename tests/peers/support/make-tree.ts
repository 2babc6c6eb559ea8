import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { track } from './child-processes.ts';
import { javaArguments } from './java-programs.ts';
import type { ServerUnderTest } from './server-under-test.ts';

/**
 * Runs TreeMaker.java, which puts one of everything under `/name`, and kills the server while one of its two sessions is
 * still open, so that sessions and ephemerals are on disk too.
 */
export async function makeTreeAndKill(server: ServerUnderTest, name: string): Promise<void> {
  const args = await javaArguments('TreeMaker');
  const maker = track(
    spawn('java', [...args, server.connectString, name], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  const lines: string[] = [];
  for await (const line of createInterface({ input: maker.stdout })) {
    lines.push(line);
    if (line.startsWith('READY')) break;
  }
  await server.kill();
  maker.stdin.end();
  if (lines.length === 0) throw new Error(`TreeMaker failed\n${server.logTail()}`);
}
