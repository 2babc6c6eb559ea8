import {
  type ServiceInstance,
  ServiceProvider,
  ServiceRegistration,
} from '@meerkat/client/recipes';
import { isEnd, isInterruption, type RecipeProcess } from './recipe-process.ts';
import type { TreeState } from './tree-history.ts';
import { TurnScenario } from './turn-scenario.ts';

const basePath = '/services';
const name = 'web';
const path = `${basePath}/${name}`;

/** What one life has. */
interface Life {
  readonly registration: ServiceRegistration;
  readonly provider: ServiceProvider;
}

/** Processes that each register an instance of a service, and choose among those of all. */
export class DiscoveryScenario extends TurnScenario {
  readonly #history = this.host.truth.historyOf(path);
  /** All lists of instances that ever were. */
  readonly #lists = this.#history.each((state) => wordsOf(state).sort().join());
  readonly #words = this.#history.each(wordsOf);
  readonly #lives = new Map<string, Life>();

  protected async begin(process: RecipeProcess): Promise<() => Promise<void>> {
    const { zk, alias, random } = process;
    const description = { name, address: process.host, port: 80, metadata: { alias } };
    const isFit = (): boolean => this.host.isCalm || random.percent(80);
    const registration = await ServiceRegistration.start(zk, basePath, description, {
      health: { check: isFit, intervalMs: 200 },
      nowMs: () => this.host.nowMs(),
    });
    const provider = await ServiceProvider.start(zk, basePath, name);
    this.#lives.set(alias, { registration, provider });
    this.#follow(process, provider).catch((error: unknown) => {
      if (!isEnd(error)) this.host.fail(error);
    });
    return async () => {
      registration.failed.throwIfAborted();
      if (random.percent(20)) await this.#update(registration, random.below(5));
      const picked = provider.pick();
      if (picked === null) return;
      this.#demandWas([picked], `${alias} picks`);
      this.count('picked');
      await this.serveBySession(process);
    };
  }

  async #update(registration: ServiceRegistration, weight: number): Promise<void> {
    try {
      await registration.update({ weight });
    } catch (error) {
      if (!isInterruption(error)) throw error;
    }
  }

  /** Each list that is told was one. */
  async #follow(process: RecipeProcess, provider: ServiceProvider): Promise<void> {
    for await (const instances of provider.cache.changes()) {
      this.count('lists');
      const told = instances.map(wordOf).sort().join();
      this.demand(
        this.#lists().includes(told),
        'each list that is told was one',
        () => `${process.alias}: ${told}`,
      );
    }
  }

  #demandWas(instances: readonly ServiceInstance[], who: string): void {
    const lists = this.#words();
    const strange = instances
      .map(wordOf)
      .filter((one) => !lists.some((list) => list.includes(one)));
    this.demand(strange.length === 0, 'whoever is chosen was registered', () => {
      return `${who} ${strange.join()}`;
    });
  }

  checkEnd(): void {
    const lives = this.host.clients.map(({ alias }) => [alias, this.#lives.get(alias)] as const);
    const registered = lives.flatMap(([, life]) => life?.registration.instance ?? []);
    const expected = registered.map(wordOf).sort().join();
    const truth = wordsOf(this.host.truth.below(path)).sort().join();
    this.demand(truth === expected, 'who lives is registered, and nobody else', () => {
      return `${truth}, and not ${expected}`;
    });
    for (const [alias, life] of lives) {
      const seen = (life?.provider.candidates ?? []).map(wordOf).sort().join();
      this.demand(seen === truth, 'all see all', () => `${alias} sees ${seen}, and not ${truth}`);
    }
  }
}

function wordOf({ id, weight, metadata }: ServiceInstance): string {
  return `${id} ${weight} ${String(metadata.alias)}`;
}

/** The instances that lie in a tree. */
function wordsOf(state: TreeState): string[] {
  const znodes = [...state].filter(([at]) => at !== path);
  return znodes.map(([at, { data }]) => {
    const { payload } = JSON.parse(data) as { payload: { weight?: number; alias?: string } };
    return `${at.slice(path.length + 1)} ${payload.weight ?? 1} ${payload.alias}`;
  });
}
