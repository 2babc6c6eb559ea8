/**
 * How members change under a leader (`PrepRequestProcessor.pRequest2Txn`, `Leader.tryToCommit`): one change at a time, which
 * counts from its proposal on and is in force with its commit. Owns the change under way.
 */
import { assert, ErrorCode, type ReconfigRequest, type Zxid } from '@meerkat/protocol';
import { formatQuorumConfig, type QuorumConfig } from '../quorum/quorum-config.ts';
import { quorumVerifierOf } from '../quorum/quorum-verifier.ts';
import {
  designatedLeader,
  hasConnectedQuorum,
  isReconfigRefusal,
  reconfigured,
  withVersion,
} from '../quorum/reconfigure.ts';
import type { MemberContext, RoleEvents } from './member-context.ts';

export class LeaderMembership {
  readonly #context: MemberContext;
  readonly #events: RoleEvents;
  /** What a reconfiguration being prepared would put in force. */
  #candidate: QuorumConfig | null = null;
  #zxid: Zxid | null = null;

  constructor(context: MemberContext, events: RoleEvents) {
    this.#context = context;
    this.#events = events;
  }

  /** The transaction of the change under way; null when there is none. */
  get zxid(): Zxid | null {
    return this.#zxid;
  }

  /**
   * The text of the configuration that a request asks for, or why it is refused.
   *
   * @param version the zxid of its transaction
   * @param synced the learners that have the leader's history
   */
  reconfigure(
    request: ReconfigRequest,
    version: Zxid,
    synced: readonly number[],
  ): string | ErrorCode {
    const { membership, ensemble } = this.#context;
    if (membership.isChanging) return ErrorCode.reconfigInProgress;
    const { standaloneEnabled, election } = ensemble;
    const { multiAddressEnabled } = election;
    const outcome = reconfigured(membership.lastSeen, request, {
      standaloneEnabled,
      multiAddressEnabled,
    });
    if (isReconfigRefusal(outcome)) {
      this.#context.notice('reconfiguration refused', null, outcome.reason);
      return outcome.code;
    }
    const config = withVersion(outcome, version);
    const verifier = quorumVerifierOf(config, ensemble.oracle);
    if (!hasConnectedQuorum(verifier, ensemble.myId, synced)) return ErrorCode.newConfigNoQuorum;
    this.#candidate = config;
    return formatQuorumConfig(config);
  }

  /** The change is proposed: from it on the new configuration counts as well. */
  begin(zxid: Zxid): void {
    assert(this.#candidate !== null, 'a reconfiguration was asked for', zxid);
    this.#context.membership.propose(this.#candidate);
    this.#candidate = null;
    this.#zxid = zxid;
  }

  /** The change is committed and applied. */
  end(): void {
    this.#zxid = null;
  }

  /**
   * Puts the configuration that was seen last in force.
   *
   * @param acked up to where each voter has the history in its log
   * @param zxid what those who may lead must have
   * @returns who leads under it
   */
  activate(acked: ReadonlyMap<number, Zxid>, zxid: Zxid): number {
    const { membership, ensemble } = this.#context;
    const acks = new Set<number>();
    for (const [sid, last] of acked) if (last >= zxid) acks.add(sid);
    const leader = designatedLeader({
      leaderId: ensemble.myId,
      leaderAddresses: membership.self?.addresses ?? [],
      oldConfig: membership.current,
      newConfig: membership.lastSeen,
      acks,
      laterAcks: laterAcks(acked, zxid),
    });
    const change = membership.activate(membership.lastSeen);
    if (change !== null) this.#events.onMembersChanged(change);
    return leader;
  }
}

/**
 * Who has acknowledged what was proposed after `zxid`: whoever is to lead had better have all of it. What one has
 * acknowledged it has with all before, so there are no more different sets than there are last acknowledgements.
 */
function laterAcks(acked: ReadonlyMap<number, Zxid>, zxid: Zxid): ReadonlySet<number>[] {
  const lasts = [...new Set(acked.values())].filter((last) => last > zxid).sort((a, b) => a - b);
  const hasUpTo = (zxidOf: Zxid): Set<number> =>
    new Set([...acked].filter(([, last]) => last >= zxidOf).map(([sid]) => sid));
  return lasts.map(hasUpTo);
}
