import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The ZooKeeper whose behaviour this is; clients read it from the first part of the version. */
const zooKeeperVersion = '3.9.5';

let cached: string | null = null;

/**
 * `3.9.5-meerkat-0.1.0, built on 2026-11-20 19:11 UTC`: in the form that kazoo, Curator and
 * zkServer.sh take apart.
 */
export function fullVersion(): string {
  cached ??= readVersion();
  return cached;
}

function readVersion(): string {
  const description = new URL('../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(description, 'utf8')) as { version: string };
  const built = statSync(fileURLToPath(import.meta.url)).mtime.toISOString();
  const day = built.slice(0, 10);
  const minute = built.slice(11, 16);
  return `${zooKeeperVersion}-meerkat-${version}, built on ${day} ${minute} UTC`;
}
