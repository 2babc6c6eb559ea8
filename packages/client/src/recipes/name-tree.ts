import { type Acl, openAcl } from '../acl.ts';
import { BadArgumentsError, NodeExistsError, NoNodeError } from '../errors.ts';
import type { NodeData } from '../operations/data.ts';
import { type Data, toBytes } from '../operations/values.ts';
import { pathProblem, validatePath } from '../paths.ts';
import type { Stat } from '../stat.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { NameTakenError } from './errors.ts';
import { childPath, createParents } from './parents.ts';
import { deleteOwn, readInStep, uuid } from './protective-create.ts';
import { isUnanswered, orAborted, untilAnswered, type WaitOptions, within } from './waiting.ts';

/** Options of `bind`. */
export interface BindOptions extends WaitOptions {
  /** `session` (the default): until it is unbound or the session ends. `always`: until it is unbound. */
  readonly lasts?: 'session' | 'always';
  /** Default `openAcl`. */
  readonly acl?: Acl;
}

/** A name and what it stands for. */
export interface BoundName {
  /** As in `eu/berlin/printer-3`. */
  readonly name: string;
  readonly value: Uint8Array;
  /** The zxid at which it was bound: who binds the same name later has a greater one. */
  readonly token: bigint;
  /** The session that bound it; 0n when it lasts for always. */
  readonly sessionId: bigint;
}

/** A name that we have bound. */
export interface NameBinding extends BoundName, AsyncDisposable {
  /** Frees the name. */
  unbind(): Promise<void>;
}

/**
 * Names in a hierarchy, each with at most one holder.
 *
 * Guarantee: a name is bound by one at a time; of several that bind it at once one succeeds, and the others are told. A name
 * may have names below it, whether it is bound or not, and whatever happens to it.
 *
 * ```ts
 * const names = new NameTree(zk, '/names');
 * await using printer = await names.bind('eu/berlin/printer-3', 'ipp://10.0.0.9');
 * const found = await names.resolve('eu/berlin/printer-3');
 * const nearest = await names.resolveNearest('eu/berlin/printer-9'); // that of eu/berlin, or of eu, or null
 * ```
 *
 * Layout: a container for each step of a name; in it `=` for what it is bound to, a line with the id of the binding and
 * then the value.
 */
export class NameTree {
  readonly path: string;
  readonly #zk: ZooKeeper;

  /** Sends nothing yet. @throws BadArgumentsError when the path is not valid */
  constructor(zk: ZooKeeper, path: string) {
    validatePath(path, 'keep names in');
    this.path = path;
    this.#zk = zk;
  }

  /**
   * Binds a name to a value.
   *
   * @throws NameTakenError when somebody has it; BadArgumentsError when it is not valid; ZooKeeperError; or the signal's reason
   */
  bind(name: string, value: Data, options: BindOptions = {}): Promise<NameBinding> {
    const path = this.#boundPath(name);
    const { lasts = 'session', acl = openAcl } = options;
    const mode = lasts === 'session' ? 'ephemeral' : 'persistent';
    return within(this.#zk, options, `bind ${name}`, async (signal) => {
      const id = uuid(this.#zk);
      const unbind = (): Promise<void> => {
        return deleteOwn(this.#zk, path, ({ data }) => decode(data).id === id);
      };
      try {
        const create = { data: withId(id, toBytes(value)), mode, acl, signal } as const;
        const { data, stat } = await this.#createOrFind(path, create);
        const read = { ...decode(data), stat: stat.copy() };
        if (read.id === id) {
          return { ...boundOf(name, read), unbind, [Symbol.asyncDispose]: unbind };
        }
        const owner = `0x${stat.ephemeralOwner.toString(16)}`;
        throw new NameTakenError(
          `Cannot bind ${name}: current value is bound already, by session ${owner}`,
        );
      } catch (error) {
        if (!(error instanceof NameTakenError)) unbind().catch(() => {});
        throw error;
      }
    });
  }

  /** Makes a znode, and reads what stands there then: ours, too, when the answer to an earlier attempt was lost. */
  async #createOrFind(
    path: string,
    create: {
      readonly data: Uint8Array;
      readonly mode: 'ephemeral' | 'persistent';
      readonly acl: Acl;
      readonly signal: AbortSignal;
    },
  ): Promise<NodeData> {
    const { data, mode, acl, signal } = create;
    for (;;) {
      signal.throwIfAborted();
      try {
        await this.#zk.create(path, data, { mode, acl });
      } catch (error) {
        if (error instanceof NoNodeError) {
          await createParents(this.#zk, path, { acl, signal });
          continue;
        }
        if (isUnanswered(error)) {
          await this.#zk.connected({ signal });
          continue;
        }
        if (!(error instanceof NodeExistsError)) throw error;
      }
      try {
        return await orAborted(readInStep(this.#zk, path), signal);
      } catch (error) {
        if (!(error instanceof NoNodeError)) throw error;
      }
    }
  }

  /** What a name is bound to; null when it is not. */
  async resolve(name: string, options: WaitOptions = {}): Promise<BoundName | null> {
    const path = this.#boundPath(name);
    const read = await within(this.#zk, options, `resolve ${name}`, (signal) =>
      this.#read(path, signal),
    );
    return read === null ? null : boundOf(name, read);
  }

  /** The name itself, or the nearest one above it that is bound; null when none is. */
  async resolveNearest(name: string, options: WaitOptions = {}): Promise<BoundName | null> {
    const steps = name.split('/');
    const names = steps.map((_, index) => steps.slice(0, steps.length - index).join('/'));
    const found = await Promise.all(names.map((one) => this.resolve(one, options)));
    return found.find((one) => one !== null) ?? null;
  }

  /** The steps directly below a name, sorted; without a name those at the top. */
  async list(name?: string, options: WaitOptions = {}): Promise<string[]> {
    const path = name === undefined ? this.path : this.#pathOf(name);
    try {
      const read = (signal: AbortSignal): Promise<string[]> =>
        untilAnswered(this.#zk, () => this.#zk.getChildren(path), signal);
      const names = await within(this.#zk, options, `list ${path}`, read);
      return names.filter((step) => step !== boundStep).sort();
    } catch (error) {
      if (error instanceof NoNodeError) return [];
      throw error;
    }
  }

  #pathOf(name: string): string {
    const path = childPath(this.path, name);
    if (pathProblem(path) === null && !name.split('/').includes(boundStep)) return path;
    const message = `Cannot use the name ${name}: it must be steps with / between them, and none of them ${boundStep}`;
    throw new BadArgumentsError({ message });
  }

  #boundPath(name: string): string {
    return childPath(this.#pathOf(name), boundStep);
  }

  async #read(path: string, signal: AbortSignal): Promise<Read | null> {
    try {
      const { data, stat } = await untilAnswered(this.#zk, () => this.#zk.getData(path), signal);
      return { ...decode(data), stat: stat.copy() };
    } catch (error) {
      if (error instanceof NoNodeError) return null;
      throw error;
    }
  }
}

/** A line with the id of the binding, and the value. */
function decode(data: Uint8Array | null): { readonly id: string; readonly value: Uint8Array } {
  const bytes = data ?? new Uint8Array(0);
  const lineEnd = bytes.indexOf(newline);
  const id = new TextDecoder().decode(bytes.subarray(0, Math.max(lineEnd, 0)));
  return { id, value: bytes.slice(lineEnd + 1) };
}

interface Read {
  readonly id: string;
  readonly value: Uint8Array;
  readonly stat: Stat;
}

function boundOf(name: string, { value, stat }: Read): BoundName {
  return { name, value, token: stat.czxid, sessionId: stat.ephemeralOwner };
}

function withId(id: string, value: Uint8Array | null): Uint8Array {
  const line = new TextEncoder().encode(`${id}\n`);
  const bytes = new Uint8Array(line.length + (value?.length ?? 0));
  bytes.set(line);
  if (value !== null) bytes.set(value, line.length);
  return bytes;
}

const boundStep = '=';
const newline = 10;
