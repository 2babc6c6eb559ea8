import { NoNodeError, type ZooKeeper } from '@meerkat/client';
import { GroupMember, PersistentNode } from '@meerkat/client/recipes';
import { isEnd, isInterruption, type RecipeProcess } from './recipe-process.ts';
import type { TreeState } from './tree-history.ts';
import { TurnScenario } from './turn-scenario.ts';

const groupPath = '/group';

/** Processes that are members of a group, by their names, and say which life they are in. */
export class GroupScenario extends TurnScenario {
  /** All groups that ever were. */
  readonly #groups = this.host.truth.historyOf(groupPath).each(groupOf);
  readonly #members = new Map<string, GroupMember>();

  protected async begin(process: RecipeProcess): Promise<() => Promise<void>> {
    const { zk, name, alias, random } = process;
    let number = 0;
    const join = async (): Promise<GroupMember> => {
      const member = await GroupMember.join(zk, groupPath, name, { data: `${alias}-${number++}` });
      this.#members.set(alias, member);
      this.#follow(process, member).catch((error: unknown) => {
        if (!isEnd(error)) this.host.fail(error);
      });
      return member;
    };
    let member = await join();
    return async () => {
      member.failed.throwIfAborted();
      if (random.percent(20)) await member.setData(`${alias}-${number++}`);
      if (random.percent(10)) {
        await member.close();
        const isThere = this.host.truth.get(`${groupPath}/${name}`) !== null;
        this.demand(!isThere || process.isEnding, 'who has left is gone', () => alias);
        member = await join();
      }
      await this.serveBySession(process);
    };
  }

  /** Each group that is told was one. */
  async #follow(process: RecipeProcess, member: GroupMember): Promise<void> {
    for await (const members of member.changes()) {
      this.count('groups');
      const words = [...members].map(([id, data]) => `${id} ${Buffer.from(data ?? []).toString()}`);
      const told = words.sort().join();
      this.demand(this.#groups().includes(told), 'each group that is told was one', () => {
        return `${process.alias}: ${told}`;
      });
    }
  }

  checkEnd(): void {
    const names = this.host.clients.map(({ name }) => name).sort();
    const there = this.host.truth.children(groupPath);
    this.demand(there.join() === names.join(), 'who lives is a member', () => there.join());
    for (const { alias } of this.host.clients) {
      const members = this.#members.get(alias)?.members ?? new Map<string, Uint8Array>();
      for (const name of names) {
        const data = this.host.truth.get(`${groupPath}/${name}`)?.data;
        const seen = Buffer.from(members.get(name) ?? []).toString();
        this.demand(data === seen, 'all see all', () => `${alias} sees ${seen}, and not ${data}`);
      }
      this.demand(members.size === names.length, 'all see all', () => [...members.keys()].join());
    }
  }
}

/** Who is in a group, and what they say. */
function groupOf(state: TreeState): string {
  const there = [...state].filter(([path]) => path !== groupPath);
  const words = there.map(([path, { data }]) => `${path.slice(groupPath.length + 1)} ${data}`);
  return words.sort().join();
}

const keptPath = '/kept';

/** Processes that keep a znode each, and meddle with those of others. */
export class PersistentNodeScenario extends TurnScenario {
  /** By the life of a process: what its znode is to hold. */
  readonly #wanted = new Map<string, string>();

  protected async begin(process: RecipeProcess): Promise<() => Promise<void>> {
    const { zk, name, alias, random } = process;
    const path = `${keptPath}/${name}`;
    this.#wanted.set(alias, `${alias}-0`);
    let node = await PersistentNode.start(zk, path, `${alias}-0`);
    let number = 1;
    const say = (): string => {
      const data = `${alias}-${number++}`;
      this.#wanted.set(alias, data);
      return data;
    };
    return async () => {
      node.failed.throwIfAborted();
      if (random.percent(20)) await node.setData(say());
      if (random.percent(40)) await this.#meddle(zk, random.below(2));
      if (random.percent(5)) {
        await node.close();
        const found = this.host.truth.get(path);
        const isOurs = found?.owner === BigInt.asIntN(64, zk.sessionId);
        this.demand(!isOurs || process.isEnding, 'what is closed is gone', () => alias);
        node = await PersistentNode.start(zk, path, say());
      }
      await this.serveBySession(process);
    };
  }

  async #meddle(zk: ZooKeeper, how: number): Promise<void> {
    const { clients, random } = this.host;
    const path = `${keptPath}/${clients[random.below(clients.length)]?.name}`;
    try {
      if (how === 0) await zk.delete(path);
      else await zk.setData(path, 'meddled with');
      this.count('meddled');
    } catch (error) {
      if (!(error instanceof NoNodeError) && !isInterruption(error)) throw error;
    }
  }

  checkEnd(): void {
    for (const { name, alias, zk } of this.host.clients) {
      const znode = this.host.truth.get(`${keptPath}/${name}`);
      const wanted = this.#wanted.get(alias);
      this.demand(znode?.data === wanted, 'what is kept is there', () => {
        return `${alias}: ${znode?.data}, and not ${wanted}`;
      });
      const isOurs = znode?.owner === BigInt.asIntN(64, zk.sessionId);
      this.demand(isOurs, 'what is kept is our own', () => `${alias}: ${znode?.owner}`);
    }
  }
}
