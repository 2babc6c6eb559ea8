import { ValueError } from './configuration-error.ts';
import type { ConfigurationDraft } from './draft.ts';
import type { Reader } from './readers.ts';

/** What a key does here. */
export type Effect =
  /** It does what it does in ZooKeeper. */
  | 'honoured'
  /** What it sets does not exist here and will not; the reason stands beside it. */
  | 'no effect'
  /** What it sets is not built yet; the server works without it. */
  | 'later'
  /** It guards security and is not built yet: the server refuses to start rather than run unguarded. */
  | 'refused';

/** One key of zoo.cfg. */
export interface ConfigurationKey {
  /** Without `zookeeper.`, which may stand before any key; a last `*` stands for anything. */
  readonly name: string;
  readonly effect: Effect;
  /** Type, bounds and unit. */
  readonly type: string;
  /** As it would be written; null when there is none. */
  readonly default: string | null;
  /** What it is for, or why it has no effect. */
  readonly about: string;
  /**
   * Takes the value.
   *
   * @throws ValueError when it does not do; says what would
   */
  apply(draft: ConfigurationDraft, value: string): void;
}

/** A key that is honoured. */
export function honoured<Value>(
  name: string,
  reader: Reader<Value>,
  fallback: string | null,
  about: string,
  set: (draft: ConfigurationDraft, value: Value) => void,
): ConfigurationKey {
  return {
    name,
    effect: 'honoured',
    type: reader.describes,
    default: fallback,
    about,
    apply: (draft, value) => set(draft, reader.read(value)),
  };
}

/** Keys without effect, all for the same reason. Pairs of name and default. */
export function withoutEffect(
  reason: string,
  keys: Readonly<Record<string, string | null>>,
): readonly ConfigurationKey[] {
  return inert('no effect', reason, keys);
}

/** Keys of something that is not built yet. */
export function later(
  what: string,
  keys: Readonly<Record<string, string | null>>,
): readonly ConfigurationKey[] {
  return inert('later', what, keys);
}

function inert(
  effect: Effect,
  about: string,
  keys: Readonly<Record<string, string | null>>,
): readonly ConfigurationKey[] {
  return Object.entries(keys).map(([name, fallback]) => ({
    name,
    effect,
    type: '',
    default: fallback,
    about,
    apply() {},
  }));
}

/**
 * A key that guards security and is not built yet.
 *
 * @param harmless values with which it guards nothing
 */
export function refused(
  name: string,
  about: string,
  harmless: readonly string[] = [],
): ConfigurationKey {
  return {
    name,
    effect: 'refused',
    type: '',
    default: harmless[0] ?? null,
    about,
    apply(_draft, value) {
      if (harmless.includes(value.toLowerCase())) return;
      throw new ValueError(
        `asks for ${about}, which Meerkat does not have yet, and it would be unsafe to go on without; take the key out if you can do without it`,
      );
    },
  };
}
