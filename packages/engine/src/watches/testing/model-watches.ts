import { WatcherType } from '@meerkat/protocol';

/**
 * ZooKeeper's watches in plain Maps: a table per kind, as `WatchManager.java` keeps it, and the
 * order of events of `DataTree.java`. Slow and obvious; what the compact table is compared with.
 */
export class ModelWatches {
  readonly #data = new ModelTable();
  readonly #children = new ModelTable();

  data(watcher: number, path: string): void {
    this.#data.add(watcher, path, 'standard');
  }

  child(watcher: number, path: string): void {
    this.#children.add(watcher, path, 'standard');
  }

  persistent(watcher: number, path: string): void {
    this.#data.add(watcher, path, 'persistent');
    this.#children.add(watcher, path, 'persistent');
  }

  recursive(watcher: number, path: string): void {
    this.#data.add(watcher, path, 'recursive');
  }

  created(path: string): string[] {
    return [...this.#tell(this.#data, 1, path, 'node'), ...this.#tellParent(path)];
  }

  deleted(path: string): string[] {
    const told = this.#data.trigger(path);
    const others = [...this.#children.trigger(path)].filter((watcher) => !told.has(watcher));
    const lines = [...told, ...others].map((watcher) => `${watcher} 2 ${path} node`);
    return [...lines, ...this.#tellParent(path)];
  }

  changed(path: string): string[] {
    return this.#tell(this.#data, 3, path, 'node');
  }

  has(watcher: number, path: string, type: number): boolean {
    const inData = this.#data.modes(watcher, path);
    const inChildren = this.#children.modes(watcher, path);
    switch (type) {
      case WatcherType.children:
        return inChildren.has('standard');
      case WatcherType.data:
        return inData.has('standard');
      case WatcherType.persistent:
        return inData.has('persistent');
      case WatcherType.persistentRecursive:
        return inData.has('recursive');
      default:
        return inData.size + inChildren.size > 0;
    }
  }

  remove(watcher: number, path: string, type: number): boolean {
    const before = this.#size();
    if (type === WatcherType.children) this.#children.remove(watcher, path, ['standard']);
    if (type === WatcherType.data) this.#data.remove(watcher, path, ['standard']);
    if (type === WatcherType.persistentRecursive) this.#data.remove(watcher, path, ['recursive']);
    const both = { [WatcherType.persistent]: ['persistent'], [WatcherType.any]: allModes }[type];
    if (both !== undefined) {
      this.#children.remove(watcher, path, both);
      this.#data.remove(watcher, path, both);
    }
    return this.#size() < before;
  }

  close(watcher: number): void {
    this.#data.byWatcher.delete(watcher);
    this.#children.byWatcher.delete(watcher);
  }

  counts(): number[] {
    const data = this.#data.watches().length;
    const paths = new Set(this.#data.watches().map(([, path]) => path));
    return [data + this.#children.watches().length, data, paths.size, this.#data.byWatcher.size];
  }

  byWatcher(): Record<string, string[]> {
    const entries = [...this.#data.byWatcher].map(([watcher, paths]) => [
      watcher,
      [...paths.keys()].sort(),
    ]);
    return Object.fromEntries(entries) as Record<string, string[]>;
  }

  byPath(): Record<string, number[]> {
    const dump: Record<string, number[]> = {};
    for (const [watcher, path] of this.#data.watches()) {
      dump[path] ??= [];
      dump[path].push(watcher);
    }
    for (const list of Object.values(dump)) list.sort((a, b) => a - b);
    return dump;
  }

  #tell(table: ModelTable, event: number, path: string, whose: string): string[] {
    return [...table.trigger(path)].map((watcher) => `${watcher} ${event} ${path} ${whose}`);
  }

  #tellParent(path: string): string[] {
    return this.#tell(this.#children, 4, parentOf(path), 'parent');
  }

  #size(): number {
    const watches = [...this.#data.watches(), ...this.#children.watches()];
    return watches.reduce((sum, [, , modes]) => sum + modes.size, 0);
  }
}

const allModes = ['standard', 'persistent', 'recursive'];

class ModelTable {
  /** Watcher to path to modes; a watcher stays when its last watch has fired. */
  readonly byWatcher = new Map<number, Map<string, Set<string>>>();

  add(watcher: number, path: string, mode: string): void {
    const paths = this.byWatcher.get(watcher) ?? new Map<string, Set<string>>();
    this.byWatcher.set(watcher, paths);
    paths.set(path, (paths.get(path) ?? new Set()).add(mode));
  }

  modes(watcher: number, path: string): ReadonlySet<string> {
    return this.byWatcher.get(watcher)?.get(path) ?? new Set();
  }

  remove(watcher: number, path: string, modes: readonly string[]): void {
    const paths = this.byWatcher.get(watcher);
    const has = paths?.get(path);
    if (paths === undefined || has === undefined) return;
    for (const mode of modes) has.delete(mode);
    if (has.size > 0) return;
    paths.delete(path);
    if (paths.size === 0) this.byWatcher.delete(watcher);
  }

  trigger(path: string): Set<number> {
    const told = new Set<number>();
    for (const [watcher, paths] of this.byWatcher) {
      const modes = paths.get(path);
      if (modes !== undefined) {
        told.add(watcher);
        modes.delete('standard');
        if (modes.size === 0) paths.delete(path);
      }
      for (let above = path; above !== '/'; ) {
        above = parentOf(above);
        if (paths.get(above)?.has('recursive') === true) told.add(watcher);
      }
    }
    return told;
  }

  watches(): [number, string, Set<string>][] {
    return [...this.byWatcher].flatMap(([watcher, paths]) =>
      [...paths].map(([path, modes]): [number, string, Set<string>] => [watcher, path, modes]),
    );
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}
