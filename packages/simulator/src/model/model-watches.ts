import { type ModelCaller, type ModelChange, may } from './model-tree.ts';

/** How a path is watched: once for data or children, or for good, with or without all that is below. */
export type ModelWatchKind = 'data' | 'child' | 'persistent' | 'recursive';

/** The watches of one connection, and what they fire. */
export class ModelWatches {
  /** Events that were not told because the caller may not read; the watches are spent all the same. */
  withheld = 0;
  readonly #watches = new Set<string>();

  /** Whether nothing is watched. */
  get isEmpty(): boolean {
    return this.#watches.size === 0;
  }

  /** Whether exactly this watch is set. */
  isSet(kind: ModelWatchKind, path: string): boolean {
    return this.#watches.has(`${kind} ${path}`);
  }

  add(kind: ModelWatchKind, path: string): void {
    this.#watches.add(`${kind} ${path}`);
  }

  /** Whether there is a watch that `removeWatches` means by `type`. */
  has(path: string, type: number): boolean {
    return kindsOf(type).some((kind) => this.#watches.has(`${kind} ${path}`));
  }

  remove(path: string, type: number): boolean {
    const found = kindsOf(type).filter((kind) => this.#watches.delete(`${kind} ${path}`));
    return found.length > 0;
  }

  /** The events of one change, `type path`, in their order; those that the caller may not read left out. */
  fire(change: ModelChange, caller: ModelCaller): string[] {
    const { kind, path, acl, parentAcl } = change;
    const parent = path.slice(0, path.lastIndexOf('/')) || '/';
    const events: string[] = [];
    const tell = (isWatched: boolean, of: typeof acl, event: string): void => {
      if (!isWatched) return;
      if (may(of, 1, caller)) events.push(event);
      else this.withheld += 1;
    };
    if (kind === 'data') {
      tell(this.#takeData(path), acl, `3 ${path}`);
      return events;
    }
    const data = this.#takeData(path);
    if (kind === 'create') {
      tell(data, acl, `1 ${path}`);
    } else {
      const child = this.#takeChild(path);
      tell(data || child, acl, `2 ${path}`);
    }
    tell(this.#takeChild(parent), parentAcl, `4 ${parent}`);
    return events;
  }

  #takeData(path: string): boolean {
    const once = this.#watches.delete(`data ${path}`);
    if (this.#watches.has(`persistent ${path}`)) return true;
    for (let at = path; ; at = at.slice(0, at.lastIndexOf('/')) || '/') {
      if (this.#watches.has(`recursive ${at}`)) return true;
      if (at === '/') return once;
    }
  }

  #takeChild(path: string): boolean {
    const once = this.#watches.delete(`child ${path}`);
    return this.#watches.has(`persistent ${path}`) || once;
  }
}

/** What a type of `removeWatches` names (`Watcher.WatcherType`). */
function kindsOf(type: number): ModelWatchKind[] {
  switch (type) {
    case 1:
      return ['child'];
    case 2:
      return ['data'];
    case 4:
      return ['persistent'];
    case 5:
      return ['recursive'];
    default:
      return ['data', 'child', 'persistent', 'recursive'];
  }
}
