import { type ConfigKeys, type GoodConfig, goodConfig } from './config-keys.ts';
import { childPath } from './parents.ts';

/** Where the last good values are kept, for a start without the service. `fileStore` makes one of a file. */
export interface FallbackStore {
  /** All of what was last written; null when nothing was. */
  read(): Promise<Uint8Array | null>;
  /** Replaces it, all or nothing. */
  write(bytes: Uint8Array): Promise<void>;
}

/**
 * The last good values of a configuration, kept where a start without the service finds them.
 *
 * Guarantee: what `load` gives was valid, and was the service's at one moment; in place of what could not be used at that
 * moment stands what was good before. What is kept of another configuration, or does not fit the keys of today, is left
 * aside.
 */
export class ConfigFallback {
  readonly #store: FallbackStore;
  readonly #path: string;
  #writing: Promise<void> = Promise.resolve();
  #next: string | null = null;
  #kept = '';
  #problem: Error | null = null;

  constructor(store: FallbackStore, path: string) {
    this.#store = store;
    this.#path = path;
  }

  /** Why the last read or write failed; null after one that did not. */
  get problem(): Error | null {
    return this.#problem;
  }

  /** The values kept, by name: those whose keys still accept them. */
  async load(keys: ConfigKeys): Promise<Map<string, GoodConfig>> {
    const good = new Map<string, GoodConfig>();
    try {
      const bytes = await this.#store.read();
      if (bytes === null) return good;
      const kept = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Kept>;
      if (kept.path !== this.#path) return good;
      for (const [name, { value, version }] of Object.entries(kept.values ?? {})) {
        const key = Object.hasOwn(keys, name) ? keys[name] : undefined;
        if (key === undefined) continue;
        const stored = { stored: value, version };
        const path = childPath(this.#path, name);
        await goodConfig(key, stored, path).then(
          (one) => good.set(name, one),
          () => {},
        );
      }
    } catch (error) {
      this.#problem = error as Error;
    }
    return good;
  }

  /** Keeps these values; of several in short order the last. Failures show in `problem`: they are no reason to stop. */
  save(good: ReadonlyMap<string, GoodConfig>): void {
    const values = [...good].map(([name, { stored, version }]) => {
      return [name, { version, value: stored }] as const;
    });
    const text = JSON.stringify({ path: this.#path, values: Object.fromEntries(values) });
    if (text === (this.#next ?? this.#kept)) return;
    const isIdle = this.#next === null;
    this.#next = text;
    if (isIdle) this.#writing = this.#writing.then(() => this.#write());
  }

  /** Resolves when all that was to be kept is. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    const text = this.#next ?? this.#kept;
    this.#next = null;
    this.#kept = text;
    try {
      await this.#store.write(new TextEncoder().encode(text));
      this.#problem = null;
    } catch (error) {
      this.#kept = '';
      this.#problem = error as Error;
    }
  }
}

interface Kept {
  readonly path: string;
  readonly values: Readonly<Record<string, { readonly value: unknown; readonly version: number }>>;
}
