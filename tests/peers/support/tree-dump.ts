import { runJava } from './java-programs.ts';

/** How TreeDump.java is run. */
export interface TreeDumpOptions {
  /** JVM properties; zookeeper.digest.enabled must be what the directory was written with. */
  readonly systemProperties?: Readonly<Record<string, string | number>>;
  /** Add a line for the header of every transaction. */
  readonly withTransactions?: boolean;
}

/**
 * What Java ZooKeeper's own classes read from a data directory (the one that holds version-2), as sorted text. Reading
 * may write (an empty directory gets a snapshot.0), so hand it a copy of anything that must stay as it is.
 */
export async function dumpTree(
  dataDirectory: string,
  options: TreeDumpOptions = {},
): Promise<string> {
  const args = [...(options.withTransactions === true ? ['--txns'] : []), dataDirectory];
  const result = await runJava('TreeDump', args, {
    systemProperties: options.systemProperties ?? {},
  });
  return result.stdout;
}
