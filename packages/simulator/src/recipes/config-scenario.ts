import { BadVersionError } from '@meerkat/client';
import {
  ConfigCenter,
  type ConfigSnapshot,
  type FallbackStore,
  type StandardSchema,
} from '@meerkat/client/recipes';
import { isEnd, isInterruption, type RecipeProcess } from './recipe-process.ts';
import type { TreeState } from './tree-history.ts';
import { type Outcome, outcomeOf, TurnScenario } from './turn-scenario.ts';

const path = '/config/app';
const names = ['a', 'b'] as const;

type Name = (typeof names)[number];

/** The values are words that nobody stores twice. */
const word: StandardSchema<string, string> = {
  '~standard': {
    version: 1,
    vendor: 'simulator',
    validate: (value) =>
      typeof value === 'string' ? { value } : { issues: [{ message: 'no word' }] },
  },
};

const keys = { a: { schema: word, default: 'none' }, b: { schema: word, default: 'none' } };

type Config = ConfigCenter<typeof keys>;
type Snapshot = ConfigSnapshot<typeof keys>;

/** Processes that share a configuration, change it, and start from what they knew last when they must. */
export class ConfigScenario extends TurnScenario {
  /** What was stored, at all times. */
  readonly #states = this.host.truth.historyOf(path).each(storedIn);
  readonly #historyMax = 1 + this.host.random.below(4);
  readonly #configs = new Map<string, Config>();
  /** By process: what outlives it. */
  readonly #kept = new Map<string, Uint8Array>();
  readonly #outcomes = new Map<string, { readonly stored: readonly Name[]; outcome: Outcome }>();
  readonly #rolledBack = new Set<string>();
  /** Committed by a new leader, together with what came after: no member ever served it. */
  readonly #unseen = new Set<string>();

  protected async begin(process: RecipeProcess): Promise<() => Promise<void>> {
    const { zk, alias, random } = process;
    const config = await ConfigCenter.start(zk, path, {
      keys,
      fallback: this.#storeOf(process),
      fallbackAfterMs: 200,
      historyMax: this.#historyMax,
    });
    this.#configs.set(alias, config);
    this.#follow(process, config).catch((error: unknown) => {
      if (!isEnd(error)) this.host.fail(error);
    });
    let number = 0;
    return async () => {
      config.failed.throwIfAborted();
      const choice = random.below(100);
      const value = `${alias}-${number++}`;
      if (choice < 40) await this.#set(config, value, names);
      else if (choice < 60) await this.#set(config, value, [names[random.below(2)] as Name]);
      else if (choice < 75) await this.#replace(config, value);
      else if (choice < 90) await this.#rollBack(process, config, names[random.below(2)] as Name);
      else if (!this.host.isCalm) await this.#spoil(process);
      await this.serveBySession(process);
    };
  }

  #storeOf({ name }: RecipeProcess): FallbackStore {
    return {
      read: () => Promise.resolve(this.#kept.get(name) ?? null),
      write: (bytes) => {
        this.#kept.set(name, bytes);
        return Promise.resolve();
      },
    };
  }

  /** Stores a word under some keys, whatever is there. */
  async #set(config: Config, value: string, stored: readonly Name[]): Promise<void> {
    const values = Object.fromEntries(stored.map((name) => [name, value]));
    await this.#note(value, stored, async () => {
      this.#onVersions(value, await config.set(values));
      return true;
    });
  }

  /** Stores a word under both keys if nobody has since what is known. */
  async #replace(config: Config, value: string): Promise<void> {
    const { versions, source } = config.current;
    if (source === 'file') return;
    await this.#note(value, names, async () => {
      try {
        const stored = await config.set({ a: value, b: value }, { versions });
        this.#onVersions(value, stored);
        const areNext = names.every((name) => stored[name] === (versions[name] ?? -1) + 1);
        this.demand(areNext, 'only what is known is replaced', () => value);
        return true;
      } catch (error) {
        if (error instanceof BadVersionError) return false;
        throw error;
      }
    });
  }

  async #note(value: string, stored: readonly Name[], set: () => Promise<boolean>): Promise<void> {
    const noted = { stored, outcome: 'unknown' as Outcome };
    this.#outcomes.set(value, noted);
    noted.outcome = await outcomeOf(set);
    this.say(`${value} in ${stored.join()} is ${noted.outcome}`);
    this.count(noted.outcome);
  }

  #onVersions(value: string, versions: { readonly [N in Name]?: number }): void {
    for (const name of names) {
      const version = versions[name];
      if (version === undefined) continue;
      const stored = this.#storedAs(name, version);
      if (stored === undefined) this.#unseen.add(value);
      this.demand(
        stored === undefined || stored === JSON.stringify(value),
        'a version is what was stored',
        () => {
          return `${name} ${version} is ${stored}, and not ${value}`;
        },
      );
    }
  }

  async #rollBack({ alias, random }: RecipeProcess, config: Config, name: Name): Promise<void> {
    try {
      const kept = await config.history(name);
      this.demand(kept.length <= this.#historyMax, 'so many versions are kept', () => name);
      for (const { version, stored } of kept) {
        const was = this.#storedAs(name, version);
        this.demand(
          was === undefined || was === JSON.stringify(stored),
          'what is kept was stored',
          () => {
            return `${name} ${version} is ${was}, and not ${JSON.stringify(stored)}`;
          },
        );
      }
      const chosen = kept[random.below(Math.max(1, kept.length))];
      if (chosen === undefined || typeof chosen.stored !== 'string') return;
      this.#rolledBack.add(chosen.stored);
      const version = await config.rollBack(name, chosen.version);
      this.say(`${alias} rolls ${name} back to ${chosen.version}, as ${version}`);
      this.#onVersions(chosen.stored, { [name]: version });
      this.count('rolled back');
    } catch (error) {
      const isDropped = error instanceof Error && error.name === 'BadArgumentsError';
      if (!isInterruption(error) && !isDropped) throw error;
    }
  }

  /** Somebody stores by hand what nobody can use. */
  async #spoil({ zk, random }: RecipeProcess): Promise<void> {
    try {
      await zk.setData(`${path}/${names[random.below(2)]}`, random.percent(50) ? 'no json' : '7');
      this.count('spoilt');
    } catch (error) {
      const isAbsent = error instanceof Error && error.name === 'NoNodeError';
      if (!isInterruption(error) && !isAbsent) throw error;
    }
  }

  /** What readers see was there, all at one moment, and never goes back. */
  async #follow(process: RecipeProcess, config: Config): Promise<void> {
    let at = 0;
    for await (const snapshot of config.changes()) {
      this.count('snapshots');
      const { source, versions, values } = snapshot;
      const text = `${source} a ${versions.a} ${values.a}, b ${versions.b} ${values.b}`;
      this.say(`${process.alias} sees ${text}`);
      const found = source === 'file' ? this.#findKept(snapshot) : this.#find(snapshot, at);
      this.demand(found !== -1, 'readers see what was there, and never go back', () => {
        return `${process.alias}: ${text}`;
      });
      if (source === 'service') at = found;
    }
  }

  /** When a snapshot was there, not before another one. */
  #find(snapshot: Snapshot, from: number): number {
    return this.#states().findIndex((state, index) => index >= from && isOf(state, snapshot));
  }

  /** What was kept at the side of what could not be used may be older than that. */
  #findKept({ values, versions }: Snapshot): number {
    const wereThere = names.every((name) => {
      if (versions[name] === null) return true;
      return this.#states().some((state) => {
        const { version, data } = state[name];
        return version === versions[name] && parsed(data) === values[name];
      });
    });
    return wereThere ? 0 : -1;
  }

  /** What was stored as a version of a key. */
  #storedAs(name: Name, version: number): string | undefined {
    for (const state of this.#states()) {
      if (state[name].version === version) return state[name].data;
    }
    const isPassed = (this.#states().at(-1)?.[name].version ?? -1) > version;
    this.demand(isPassed, 'a version that is told was stored', () => `${name} ${version}`);
    return undefined;
  }

  checkEnd(): void {
    const states = this.#states();
    for (const [value, { stored, outcome }] of this.#outcomes) {
      if (this.#unseen.has(value)) continue;
      const json = JSON.stringify(value);
      const times = stored.map((name) => {
        const stored = states.filter((state) => state[name].data === json);
        return new Set(stored.map((state) => state[name].version)).size;
      });
      const most = this.#rolledBack.has(value) ? Number.POSITIVE_INFINITY : 1;
      const isRight = times.every((count) => {
        if (outcome === 'undone') return count === 0;
        return count <= most && (outcome === 'unknown' || count > 0);
      });
      this.demand(isRight, 'all is stored once, or nothing', () => {
        return `${value} is ${outcome}, and ${times.join()} times there`;
      });
    }
    const truth = storedIn(this.host.truth.below(path));
    for (const { alias } of this.host.clients) {
      const config = this.#configs.get(alias);
      const isRight = config?.isInStep === true && isOf(truth, config.current);
      this.demand(isRight, 'all follow', () => `${alias}: ${JSON.stringify(config?.values)}`);
    }
  }
}

/** What is stored under each key. */
type Stored = { readonly [N in Name]: { readonly version: number | null; readonly data: string } };

function storedIn(state: TreeState): Stored {
  const storedAt = (name: Name): Stored[Name] => {
    const { version = null, data = '' } = state.get(`${path}/${name}`) ?? {};
    return { version, data };
  };
  return { a: storedAt('a'), b: storedAt('b') };
}

/** Whether a snapshot is what was stored, but for what cannot be used. */
function isOf(stored: Stored, { values, versions, problems, source }: Snapshot): boolean {
  return names.every((name) => {
    const { version, data } = stored[name];
    if (problems.has(name)) return version !== null && parsed(data) === undefined;
    if (versions[name] === null) return source === 'file' || version === null;
    return version === versions[name] && parsed(data) === values[name];
  });
}

function parsed(data: string): string | undefined {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
