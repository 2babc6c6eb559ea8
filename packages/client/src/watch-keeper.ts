import { ErrorCode, type JuteReader, SpecialXid } from '@meerkat/protocol';
import type { HookRunner } from './hooks.ts';
import type { Dispatcher } from './listeners.ts';
import { setWatches, setWatches2 } from './operations/watching.ts';
import { toClientPath } from './paths.ts';
import { noTarget, type PendingRequest, Request } from './request.ts';
import type { RequestQueue } from './request-queue.ts';
import {
  eventTypes,
  type WatchEventType,
  type Watcher,
  type WatchKind,
  WatchRegistry,
} from './watches.ts';

/** The watches of one session: who set them, who is told, and how they survive a connection. */
export class WatchKeeper {
  readonly registry: WatchRegistry = new WatchRegistry();
  readonly #chroot: string;
  readonly #dispatcher: Dispatcher;
  readonly #hooks: HookRunner | null;

  constructor(chroot: string, dispatcher: Dispatcher, hooks: HookRunner | null) {
    this.#chroot = chroot;
    this.#dispatcher = dispatcher;
    this.#hooks = hooks;
  }

  /** The server has set the watch of a request. */
  register(request: PendingRequest, code: number): void {
    const { operation, watcher, serverPath } = request;
    if (watcher === null || operation.watchKind === undefined) return;
    this.registry.add(code === ErrorCode.ok ? operation.watchKind : 'exist', serverPath, watcher);
  }

  /**
   * An event has arrived.
   *
   * @throws JuteError when its record does not decode
   */
  onEvent(reader: JuteReader, zxid: number): void {
    const type = eventTypes.get(reader.readInt());
    reader.readInt();
    const serverPath = reader.readString();
    // A type that the protocol does not have: nobody can have asked for it.
    if (type === undefined) return;
    const watchers = this.registry.take(type, serverPath);
    const path = toClientPath(this.#chroot, serverPath);
    this.#hooks?.onWatchEvent({ type, path, watchers: watchers.size });
    this.#tell(watchers, type, serverPath, BigInt(zxid));
  }

  /** Takes watchers off our lists and tells them so (`ClientCnxn.finishPacket`). */
  drop(kinds: readonly WatchKind[], serverPath: string, watcher: Watcher | null): void {
    for (const { type, among } of removalEvents) {
      const concerned = among.filter((kind) => kinds.includes(kind));
      this.#tell(this.registry.remove(concerned, serverPath, watcher), type, serverPath, -1n);
    }
  }

  /** The session is over: tells every watcher. */
  end(): void {
    for (const [serverPath, watchers] of this.registry.takeAll()) {
      this.#tell(watchers, 'sessionEnded', serverPath, -1n);
    }
  }

  /**
   * Sets all watches anew on a new connection; the server makes up for what happened after `lastZxid`, except to
   * persistent ones (`ClientCnxn.primeConnection`).
   */
  rearm(queue: RequestQueue, lastZxid: number, bytesMax: number): void {
    for (const paths of this.registry.portions(bytesMax)) {
      const lasting = paths.persistent.length + paths.persistentRecursive.length > 0;
      const body = { lastZxid, paths };
      const request = new Request(lasting ? setWatches2 : setWatches, noTarget, body, null);
      // Nobody waits for it: when it is lost, so is the connection, and the next one sends it again.
      request.promise.catch(() => {});
      queue.submitSpecial(SpecialXid.setWatches, request);
    }
  }

  #tell(watchers: Set<Watcher>, type: WatchEventType, serverPath: string, zxid: bigint): void {
    const path = toClientPath(this.#chroot, serverPath);
    this.#dispatcher.dispatch(watchers, { type, path, zxid });
  }
}

const removalEvents = [
  { type: 'dataWatchRemoved', among: ['data', 'exist'] },
  { type: 'childWatchRemoved', among: ['child'] },
  { type: 'persistentWatchRemoved', among: ['persistent', 'persistentRecursive'] },
] as const satisfies readonly { type: WatchEventType; among: readonly WatchKind[] }[];
