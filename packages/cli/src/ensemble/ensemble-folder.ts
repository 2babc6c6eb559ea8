import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EnsembleOptions, EnsemblePlan } from './ensemble-plan.ts';

/** The folder cannot hold this ensemble; the message says what to do. */
export class EnsembleFolderError extends Error {
  override readonly name: string = 'EnsembleFolderError';
}

/**
 * Refuses a folder that holds an ensemble of other servers: with fewer than it was made with, what the missing ones
 * know could be lost.
 *
 * @throws EnsembleFolderError
 */
export function requireSameEnsemble(options: EnsembleOptions): void {
  const { folder, members } = options;
  const entries = statSync(folder, { throwIfNoEntry: false })?.isDirectory()
    ? readdirSync(folder)
    : [];
  const voters = entries.filter((name) => /^\d+$/.test(name) && isVoter(folder, name)).length;
  if (voters > 0 && voters !== members) {
    throw new EnsembleFolderError(
      `Cannot start ${members} members in ${folder}: it holds an ensemble of ${voters}; give --members ${voters}, or another --folder`,
    );
  }
}

/**
 * Makes the folders and writes each server's `zoo.cfg` and `myid`. Data that is there stays.
 *
 * @throws the system's error when it cannot
 */
export function writeEnsemble(plan: EnsemblePlan): void {
  for (const member of plan.members) {
    mkdirSync(member.dataDirectory, { recursive: true });
    writeFileSync(member.configurationPath, member.configuration);
    writeFileSync(join(member.dataDirectory, 'myid'), `${member.id}\n`);
  }
}

function isVoter(folder: string, name: string): boolean {
  try {
    const configuration = readFileSync(join(folder, name, 'zoo.cfg'), 'utf8');
    return new RegExp(`^server\\.${name}=.*:participant$`, 'm').test(configuration);
  } catch {
    return false;
  }
}
