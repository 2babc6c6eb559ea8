import { join } from 'node:path';

/** What was asked for. */
export interface EnsembleOptions {
  /** Servers that vote. */
  readonly members: number;
  /** Servers that follow without a vote. */
  readonly observers: number;
  /** Where each server has a folder: configuration and data. */
  readonly folder: string;
}

/** One server: where it is and what it is configured with. */
export interface MemberPlan {
  /** From 1; the file `myid`. */
  readonly id: number;
  readonly role: 'participant' | 'observer';
  readonly directory: string;
  readonly dataDirectory: string;
  readonly configurationPath: string;
  readonly clientPort: number;
  /** The text of zoo.cfg. */
  readonly configuration: string;
}

/** A local ensemble, before anything of it exists. */
export interface EnsemblePlan {
  readonly members: readonly MemberPlan[];
  /** What clients are given. */
  readonly connectString: string;
}

/** How many ports a server needs: for clients, for those that follow it, for elections. */
export const portsPerMember = 3;

const host = '127.0.0.1';

/**
 * Lays out an ensemble on this machine.
 *
 * @param ports `portsPerMember` for each server: first those for clients, then those for followers, then those for elections
 */
export function planEnsemble(options: EnsembleOptions, ports: readonly number[]): EnsemblePlan {
  const count = options.members + options.observers;
  const ids = Array.from({ length: count }, (_, index) => index + 1);
  const roleOf = (id: number): MemberPlan['role'] =>
    id <= options.members ? 'participant' : 'observer';
  const portOf = (use: number, id: number): number => ports[use * count + id - 1] ?? 0;
  const servers = ids.map(
    (id) => `server.${id}=${host}:${portOf(1, id)}:${portOf(2, id)}:${roleOf(id)}`,
  );
  const members = ids.map((id): MemberPlan => {
    const directory = join(options.folder, String(id));
    const dataDirectory = join(directory, 'data');
    const clientPort = portOf(0, id);
    return {
      id,
      role: roleOf(id),
      directory,
      dataDirectory,
      configurationPath: join(directory, 'zoo.cfg'),
      clientPort,
      configuration: configurationOf(dataDirectory, clientPort, servers),
    };
  });
  const connectString = members.map(({ clientPort }) => `${host}:${clientPort}`).join(',');
  return { members, connectString };
}

/** One server that votes is an ensemble only when that is said. */
function configurationOf(
  dataDirectory: string,
  clientPort: number,
  servers: readonly string[],
): string {
  const lines = [
    '# Written by meerkat ensemble at each start: what is changed here does not last.',
    `dataDir=${dataDirectory.replaceAll('\\', '\\\\')}`,
    `clientPort=${clientPort}`,
    `clientPortAddress=${host}`,
    'tickTime=2000',
    'initLimit=10',
    'syncLimit=5',
    'standaloneEnabled=false',
    '4lw.commands.whitelist=*',
    ...servers,
  ];
  return `${lines.join('\n')}\n`;
}
