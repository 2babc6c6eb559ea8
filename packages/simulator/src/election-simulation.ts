/**
 * An ensemble of three to seven members that elects leaders while everything around it fails, in virtual time.
 * One seed draws the members, their histories, the network and the faults, and repeats them. First anything may break;
 * then nothing does any more, and a leader must be found.
 */
import {
  type Election,
  type ElectionNotice,
  formatQuorumConfig,
  PeerState,
  parseQuorumConfig,
  type QuorumConfig,
  type QuorumVerifier,
  quorumVerifierOf,
} from '@meerkat/engine';
import { ElectionChecker } from './election-checker.ts';
import { ElectionMember, electionPort } from './election-member.ts';
import { ManualClock } from './manual-clock.ts';
import { SeededRandom } from './seeded-random.ts';
import { PeerFabric } from './simulated-peer-network.ts';

/** What a simulation did. */
export interface ElectionReport {
  readonly members: number;
  /** Decisions of members for a leader. */
  readonly elections: number;
  readonly faults: number;
  /** How long it took, once all was well, until a quorum followed one leader, ms. */
  readonly healedAfterMs: number;
}

/** Runs one election simulation. */
export class ElectionSimulation {
  readonly clock: ManualClock = new ManualClock();
  /** What happened, one line each, the latest last. */
  readonly trace: string[] = [];
  readonly #random: SeededRandom;
  readonly #fabric: PeerFabric;
  readonly #config: QuorumConfig;
  readonly #verifier: QuorumVerifier;
  readonly #members: readonly ElectionMember[];
  readonly #checker: ElectionChecker;
  #elections = 0;
  #faults = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    const latencyMs: [number, number] = [this.#random.below(3), 3 + this.#random.below(120)];
    const systemBytesMax = this.#random.percent(30) ? 100 : 100_000;
    this.#fabric = new PeerFabric(this.clock, this.#random, { latencyMs, systemBytesMax });
    this.#config = drawConfig(this.#random);
    this.#verifier = quorumVerifierOf(this.#config);
    this.#members = [...this.#config.members.keys()].map((id) => this.#drawMember(id));
    this.#checker = new ElectionChecker(this.#config, this.#members);
    this.#say(`latency ${latencyMs.join(' to ')} ms, ${formatQuorumConfig(this.#config)}`);
  }

  /**
   * Runs it to its end.
   *
   * @throws Error when a rule was broken
   */
  run(): ElectionReport {
    for (const member of this.#members) {
      this.clock.after(this.#random.below(2000), () => this.#start(member));
    }
    this.#observe();
    const faultsUntilMs = this.clock.monotonicMs() + 5000 + this.#random.below(60_000);
    while (this.clock.monotonicMs() < faultsUntilMs) {
      this.#runFor(this.#random.below(this.#random.percent(50) ? 300 : 6000));
      this.#breakSomething();
    }
    this.#mend();
    const healedAfterMs = this.#untilHealed();
    const { length: members } = this.#members;
    return { members, elections: this.#elections, faults: this.#faults, healedAfterMs };
  }

  #drawMember(id: number): ElectionMember {
    const currentEpoch = this.#random.below(3);
    // An epoch may have been begun without anything written in it.
    const lastZxid = this.#random.below(currentEpoch + 1) * 2 ** 32 + this.#random.below(4);
    return new ElectionMember(id, this.#config, { lastZxid, currentEpoch }, this.#fabric, {
      onElected: (member, election) => this.#elected(member, election),
      onNotice: (member, notice) => this.#noticed(member, notice),
    });
  }

  #runFor(ms: number): void {
    const untilMs = this.clock.monotonicMs() + ms;
    let isOver = false;
    this.clock.after(ms, () => {
      isOver = true;
    });
    while (!isOver && this.clock.step()) this.#checker.look();
    if (this.clock.monotonicMs() < untilMs) throw new Error('virtual time stands still');
  }

  #start(member: ElectionMember): void {
    if (member.isUp) return;
    member.start(this.clock);
    this.#say(`${member.id} starts with ${member.currentEpoch}, 0x${member.lastZxid.toString(16)}`);
  }

  #elected(member: ElectionMember, election: Election): void {
    this.#elections += 1;
    const { vote, supporters } = election;
    this.#say(
      `${member.id} decides for ${vote.leader} in round ${vote.electionEpoch} by ${[...supporters].join()}`,
    );
    this.#checker.onElected(member, election);
  }

  #noticed(member: ElectionMember, notice: ElectionNotice): void {
    if (notice.kind === 'listening') return;
    this.#say(`${member.id}: ${notice.text}`);
    if (notice.kind.startsWith('malformed') || notice.kind === 'own id') {
      throw new Error(`member ${member.id} was sent nonsense: ${notice.text}`);
    }
  }

  #breakSomething(): void {
    this.#faults += 1;
    const random = this.#random;
    const member = this.#anyMember();
    const other = this.#anyMember();
    const kind = random.below(8);
    if (kind === 0 && member.isUp) {
      this.#say(`${member.id} crashes`);
      member.crash();
    } else if (kind <= 1) {
      this.#start(member);
    } else if (kind === 2) {
      this.#say('a stream is cut');
      this.#fabric.cutAny();
    } else if (kind === 3) {
      this.#say(`nothing goes from ${member.id} to ${other.id}`);
      this.#fabric.setBlocked(member.host, other.host, true);
    } else if (kind === 4) {
      this.#partition();
    } else if (kind === 5) {
      this.#say('the network is whole again');
      this.#fabric.heal();
    } else if (kind === 6) {
      const ms = random.below(8000);
      this.#say(`${member.id} stands still for ${ms} ms`);
      member.standStill(ms);
    } else if (member.leader !== null) {
      this.#say(`${member.id} gives up`);
      member.lookAgain();
    }
  }

  #partition(): void {
    const left = this.#members.filter(() => this.#random.percent(50));
    this.#say(`${left.map(({ id }) => id).join()} are cut off from the others`);
    for (const a of left) {
      for (const b of this.#members.filter((member) => !left.includes(member))) {
        this.#fabric.setBlocked(a.host, b.host, true);
        this.#fabric.setBlocked(b.host, a.host, true);
      }
    }
  }

  /** Nothing breaks any more: the network is whole, and a quorum at least is up. */
  #mend(): void {
    this.#fabric.heal();
    const up = new Set(this.#members.filter(({ isUp }) => isUp).map(({ id }) => id));
    for (const member of this.#members) {
      if (this.#verifier.containsQuorum(up) && this.#random.percent(50)) continue;
      this.#start(member);
      up.add(member.id);
    }
    this.#say(`from now on nothing breaks, ${[...up].join()} are up`);
  }

  #untilHealed(): number {
    const beganMs = this.clock.monotonicMs();
    while (!this.#isHealed()) {
      const afterMs = this.clock.monotonicMs() - beganMs;
      if (afterMs > healingMsMax) throw new Error(`no leader within ${healingMsMax} ms`);
      this.#runFor(100);
    }
    return this.clock.monotonicMs() - beganMs;
  }

  /** Whether every member that is up is for the same leader, which leads. */
  #isHealed(): boolean {
    const up = this.#members.filter(({ isUp }) => isUp);
    const leaders = new Set(up.map(({ leader }) => leader));
    const leader = this.#members.find(({ id }) => leaders.has(id));
    return leaders.size === 1 && leader?.elector?.state === PeerState.leading;
  }

  /** What follows an election, in short: who has no leader or no followers for some ticks looks again. */
  #observe(): void {
    for (const member of this.#members) {
      if (member.leader === null) continue;
      const nowMs = this.clock.monotonicMs();
      if (this.#isServed(member)) member.aloneSinceMs = null;
      else member.aloneSinceMs ??= nowMs;
      if (member.aloneSinceMs === null || nowMs - member.aloneSinceMs < patienceMs) continue;
      this.#say(`${member.id} is alone and looks for a leader`);
      member.lookAgain();
    }
    this.clock.after(250, () => this.#observe());
  }

  #isServed(member: ElectionMember): boolean {
    const leader = this.#members.find(({ id }) => id === member.leader);
    if (leader?.elector?.state !== PeerState.leading) return false;
    if (leader !== member) return this.#areConnected(leader, member);
    const followers = this.#members.filter(
      (other) => other.leader === member.id && this.#areConnected(member, other),
    );
    const quorum = new Set(followers.map(({ id }) => id));
    if (!this.#verifier.containsQuorum(quorum)) return false;
    if (this.#random.percent(20)) this.#write(member, followers);
    return true;
  }

  #areConnected(a: ElectionMember, b: ElectionMember): boolean {
    if (!a.isUp || !b.isUp) return false;
    return this.#fabric.reaches(a.host, b.host) && this.#fabric.reaches(b.host, a.host);
  }

  /** The leader writes, and some of its followers, a quorum in all, have it. */
  #write(leader: ElectionMember, followers: readonly ElectionMember[]): void {
    const epoch = Math.max(...followers.map(({ currentEpoch }) => currentEpoch));
    const isNew = leader.elector?.currentVote?.peerEpoch !== epoch;
    const newEpoch = isNew ? epoch + 1 : epoch;
    const zxid = Math.max(leader.lastZxid + 1, newEpoch * 2 ** 32);
    const having = new Set<number>([leader.id]);
    for (const follower of followers) {
      if (this.#verifier.containsQuorum(having) && this.#random.percent(50)) continue;
      having.add(follower.id);
    }
    for (const follower of followers) {
      follower.currentEpoch = newEpoch;
      follower.elector?.setPeerEpoch(newEpoch);
      if (having.has(follower.id)) follower.lastZxid = zxid;
    }
  }

  #anyMember(): ElectionMember {
    const member = this.#members[this.#random.below(this.#members.length)];
    if (member === undefined) throw new Error('an ensemble without members');
    return member;
  }

  #say(text: string): void {
    this.trace.push(`${this.clock.monotonicMs()} ${text}`);
  }
}

/** How long a member bears to be without its leader or its followers, ms. */
const patienceMs = 4000;
/** The longest back-off: Java takes more than that, most of our members need less than a second. */
const healingMsMax = 60_000;

/** Three to seven voters, perhaps an observer, perhaps in groups with one that has no weight. */
function drawConfig(random: SeededRandom): QuorumConfig {
  const voters = 3 + random.below(5);
  const lines: string[] = [];
  for (let id = 1; id <= voters; id++) lines.push(serverLine(id, 'participant'));
  if (random.percent(30)) lines.push(serverLine(voters + 1, 'observer'));
  if (random.percent(20)) {
    const half = Math.ceil(voters / 2);
    const ids = Array.from({ length: voters }, (_, i) => i + 1);
    const cut = random.percent(50) ? voters : half;
    lines.push(`group.1=${ids.slice(0, cut).join(':')}`);
    if (cut < voters) lines.push(`group.2=${ids.slice(cut).join(':')}`);
    if (random.percent(50)) lines.push(`weight.${1 + random.below(voters)}=0`);
  }
  return parseQuorumConfig(lines.join('\n'));
}

function serverLine(id: number, type: string): string {
  return `server.${id}=host${id}:2888:${electionPort}:${type}`;
}
