import { connect, ZooKeeperError } from '@meerkat/client';
import { EnsembleFolderError, requireSameEnsemble, writeEnsemble } from './ensemble-folder.ts';
import {
  type EnsembleOptions,
  type EnsemblePlan,
  planEnsemble,
  portsPerMember,
} from './ensemble-plan.ts';
import { MemberProcess } from './member-process.ts';
import { findPorts, PortTakenError } from './ports.ts';

/** What `meerkat ensemble` was asked for. */
export interface RunEnsembleOptions extends EnsembleOptions {
  /** The first port; 0 takes any that are free. */
  readonly port: number;
}

/** In the line of a member that has a leader. */
const servingText = 'serves clients';
/** How long servers may take to stop before they are ended, ms. */
const stopPatienceMs = 10_000;

/**
 * Runs an ensemble on this machine until SIGINT or SIGTERM: `meerkat ensemble`.
 *
 * @returns the exit code: 0 when it was stopped, 1 when no server was left, 2 when it could not be started
 */
export async function runEnsemble(options: RunEnsembleOptions): Promise<number> {
  let plan: EnsemblePlan;
  try {
    requireSameEnsemble(options);
    const count = options.members + options.observers;
    plan = planEnsemble(options, await findPorts(options.port, count * portsPerMember));
    writeEnsemble(plan);
  } catch (error) {
    process.stderr.write(`${messageOf(error, options)}\n`);
    return 2;
  }
  return new RunningEnsemble(plan, options).run();
}

/** The processes, and what is written about them. */
class RunningEnsemble {
  readonly #plan: EnsemblePlan;
  readonly #options: RunEnsembleOptions;
  readonly #members: readonly MemberProcess[];
  readonly #lost = new Set<number>();
  #isAnnounced = false;
  #end: (code: number) => void = () => {};

  constructor(plan: EnsemblePlan, options: RunEnsembleOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#members = plan.members.map((member) => {
      return new MemberProcess(member, {
        onLine: (id, line) => {
          write(prefixOf(id), line);
          if (!this.#isAnnounced && line.includes(servingText)) void this.#announce();
        },
        onDied: (id, ending, restartMs) => this.#onDied(id, ending, restartMs),
      });
    });
  }

  async run(): Promise<number> {
    const ended = new Promise<number>((resolve) => {
      this.#end = resolve;
    });
    this.#stopOnSignal();
    const { members, observers, folder } = this.#options;
    const watching = observers === 0 ? '' : ` and ${observers} observing`;
    say(`starting ${members} members${watching}, data in ${folder}; Ctrl-C stops all`);
    for (const member of this.#members) member.start();
    const code = await ended;
    await Promise.all(this.#members.map((member) => member.stop(stopPatienceMs)));
    say('stopped');
    return code;
  }

  /** A second signal ends this process at once; the servers notice that it is gone. */
  #stopOnSignal(): void {
    const signals = ['SIGINT', 'SIGTERM'] as const;
    const stop = (): void => {
      for (const signal of signals) {
        process.off(signal, stop);
        process.once(signal, () => process.exit(1));
      }
      say('stopping all members');
      this.#end(0);
    };
    for (const signal of signals) process.on(signal, stop);
  }

  /** Says it once the ensemble serves, which a client knows best. */
  async #announce(): Promise<void> {
    this.#isAnnounced = true;
    const { connectString } = this.#plan;
    try {
      const zk = await connect(connectString, {
        sessionTimeoutMs: 4000,
        connectTimeoutMs: 600_000,
      });
      await zk.sync('/');
      await zk.close();
    } catch (error) {
      if (!(error instanceof ZooKeeperError)) throw error;
      say(`no client can be served: ${error.message}`);
      return;
    }
    const pids = this.#members.map(({ id, pid }) => `${id} is ${pid ?? 'down'}`).join(', ');
    say(`the ensemble serves at ${connectString} (processes: ${pids})`);
    say(`next: npx meerkat shell -server ${connectString}`);
  }

  #onDied(id: number, ending: string, restartMs: number | null): void {
    if (restartMs !== null) {
      say(`member ${id} died (${ending}); it is started again in ${restartMs / 1000} s`);
      return;
    }
    say(`member ${id} died (${ending}) and is not started again: see its lines above`);
    this.#lost.add(id);
    if (this.#lost.size === this.#members.length) this.#end(1);
  }
}

function say(text: string): void {
  write('ensemble', text);
}

function write(prefix: string, line: string): void {
  process.stdout.write(`${prefix.padEnd(8)} | ${line}\n`);
}

function prefixOf(id: number): string {
  return `member ${id}`;
}

function messageOf(error: unknown, { folder }: RunEnsembleOptions): string {
  if (error instanceof PortTakenError || error instanceof EnsembleFolderError) return error.message;
  if (error instanceof Error && 'code' in error) {
    return `Cannot keep an ensemble in ${folder}: ${error.message}; give another --folder`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
