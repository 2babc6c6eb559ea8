import { formatQuorumConfig } from '@meerkat/engine';
import type { Configurations } from './configurations.ts';
import type { EnsembleMember } from './ensemble-member.ts';
import type { ModelHistory } from './model-history.ts';

/**
 * What members say of who belongs to the ensemble, held against what is committed. Owns how the configurations and the
 * model's `/zookeeper/config` follow the history; silent where the members never change.
 */
export class MembershipChecker {
  readonly #configurations: Configurations;
  readonly #history: ModelHistory;
  readonly #mayChange: boolean;

  /**
   * @param text the members in the beginning
   * @param mayChange whether they do not stay so
   */
  constructor(
    configurations: Configurations,
    history: ModelHistory,
    text: string,
    mayChange: boolean,
  ) {
    this.#configurations = configurations;
    this.#history = history;
    this.#mayChange = mayChange;
    if (mayChange) history.configure(0, text);
  }

  /** The newest transaction is committed. Returns the members that it puts in force; null when it does nothing like it. */
  onCommitted(nowMs: number): string | null {
    const { write, err, body, zxid } = this.#history.last;
    if (write?.kind !== 'reconfig' || err !== 0) return null;
    const { data } = body as { readonly data: string };
    this.#configurations.onCommitted(zxid, data, nowMs);
    return data;
  }

  /** A member says that a configuration is in force. @throws Violation when that cannot be */
  onTold(member: EnsembleMember, text: string): void {
    if (this.#mayChange) this.#configurations.onTold(member.id, text);
  }

  /**
   * A member serves by its configuration.
   *
   * @param newEpoch the epoch that it begins to lead, in which that may be a new one; else 0
   * @throws Violation when nobody knows it to be committed
   */
  onServing({ id, members }: EnsembleMember, newEpoch = 0): void {
    if (!this.#mayChange || members === null) return;
    if (newEpoch > 0) {
      const epochZxid = newEpoch * 2 ** 32;
      const text = formatQuorumConfig(members);
      if (this.#configurations.onEpoch(epochZxid, text)) this.#history.configure(epochZxid, text);
    }
    this.#configurations.onServing(id, members.version);
  }
}
