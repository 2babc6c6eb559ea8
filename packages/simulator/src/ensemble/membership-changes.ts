import type { ModelRead } from '../model/model-reads.ts';
import {
  configPath,
  type ModelMembers,
  type ModelReconfig,
  superCredentials,
  superDigest,
  votersIn,
} from '../model/model-reconfig.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { spareVoters } from './configurations.ts';
import type { EnsembleMember } from './ensemble-member.ts';
import { memberLine } from './ensemble-settings.ts';
import type { EnsembleWorld } from './ensemble-world.ts';
import type { OpenOptions, SimulatedClient } from './simulated-client.ts';

/**
 * Those who run an ensemble and change who belongs to it: a client that may asks for that, and somebody starts the
 * processes that join and looks after those that have left. Owns what is asked for, and which members are to run.
 */
export class MembershipChanges {
  /** How often each kind of change was asked for. */
  readonly counts: Map<string, number> = new Map();
  readonly #random: SeededRandom;
  readonly #world: EnsembleWorld;
  readonly #startLater: (member: EnsembleMember) => void;
  /** Members that are no part of the ensemble, or not yet, and are to run. */
  readonly #kept = new Set<EnsembleMember>();
  #isOver = false;
  /** Whether a change must succeed in the end; where none comes, what was proposed once must not bother anybody. */
  readonly #changesInTheEnd: boolean;

  /** @param startLater starts a member that is down, sooner or later */
  constructor(
    random: SeededRandom,
    world: EnsembleWorld,
    startLater: (member: EnsembleMember) => void,
  ) {
    this.#random = random;
    this.#changesInTheEnd = random.percent(60);
    this.#world = world;
    this.#startLater = startLater;
  }

  /** Whether a member is to run. */
  wants(member: EnsembleMember): boolean {
    const { configurations } = this.#world;
    const mayBelong = configurations.possible.some((voters) => voters.has(member.id));
    return configurations.has(member.id) || mayBelong || this.#kept.has(member);
  }

  /** Looks after those that have left, every few ticks. */
  begin(): void {
    if (this.#isOver) return;
    for (const member of this.#world.members) {
      if (!this.#world.configurations.has(member.id)) this.#lookAfter(member);
    }
    this.#world.after((1 + this.#random.below(4)) * this.#world.tickTimeMs, () => this.begin());
  }

  /** Nobody changes anything any more; who has left and runs goes on running. */
  end(): void {
    this.#isOver = true;
    this.#world.after(10 * this.#world.tickTimeMs, () => this.#rescue());
  }

  /** What no member can do for itself: a process that was ended is started, and one that knows nobody is told. */
  #rescue(): void {
    const { configurations, members } = this.#world;
    for (const member of members) {
      if (member.isServing || !configurations.has(member.id)) continue;
      if (member.isUp && !this.#isStranded(member)) continue;
      const line = configurations.inForce.lines.get(member.id) ?? '';
      if (member.isUp) {
        this.#world.say(`${member.id} is where nobody looks for it`);
        this.#world.crash(member, 'kill');
        this.#writeFiles(member, line);
      }
      this.#startLater(member);
    }
    this.#world.after(10 * this.#world.tickTimeMs, () => this.#rescue());
  }

  /** Whether all others have moved since it knew them, or it has, and they do not know where they are to answer. */
  #isStranded({ id, members }: EnsembleMember): boolean {
    const { inForce } = this.#world.configurations;
    const isRight = (each: number): boolean => {
      const [known] = members?.members.get(each)?.addresses ?? [];
      const [host, quorumPort, electionPort] = inForce.lines.get(each)?.split(':') ?? [];
      return (
        known?.host === host &&
        String(known?.quorumPort) === quorumPort &&
        String(known?.electionPort) === electionPort
      );
    };
    // It asks those who vote, as far as it knows. One with a higher id answers by dialling back.
    const isAsked = (each: number): boolean => members?.members.get(each)?.type === 'participant';
    return ![...inForce.lines.keys()].some(
      (each) => each !== id && isAsked(each) && isRight(each) && (each < id || isRight(id)),
    );
  }

  /** Sees to it that a member can be started. False: its configuration is not one that it has a part in. */
  makeReady(member: EnsembleMember): boolean {
    const { configurations } = this.#world;
    const stored = member.files.read(member.disk);
    const members = stored?.members ?? member.config.ensemble?.members;
    const { id } = member;
    if (members?.members.has(id) !== false || stored?.proposed?.members.has(id)) return true;
    const line = configurations.lineOf(id);
    if (line === undefined) return false;
    this.#writeFiles(member, line);
    return true;
  }

  /** How the client that may change members opens its session; now and then it forgets who it is. */
  drawOpening(opening: OpenOptions): OpenOptions {
    const isKnown = this.#isOver || this.#random.percent(92);
    const credentials = { auth: superCredentials, digestId: superDigest };
    return { ...opening, credentials: isKnown ? credentials : null };
  }

  /** Whether that client has been served, once nothing breaks any more. */
  isServed(client: SimulatedClient): boolean {
    return this.#changesInTheEnd ? client.successes > 0 : client.isConnected;
  }

  /** That client does something. */
  act(client: SimulatedClient): void {
    const random = this.#random;
    if (client.underWay > 2) return;
    // The last change must succeed, so it is asked for by somebody who may.
    if (this.#isOver && client.record.digestId !== superDigest) return client.close();
    if (random.percent(40) || (this.#isOver && client.successes > 0)) return this.#look(client);
    const request = this.#isOver ? this.#last() : this.#draw();
    if (request === null) return this.#look(client);
    // One that comes right behind another is refused while that one is under way.
    const next = !this.#isOver && random.percent(20) ? this.#draw() : null;
    client.submit(next === null ? [request] : [request, next]);
  }

  /** Asked for when nothing breaks any more, so it must succeed. */
  #last(): ModelReconfig | null {
    return this.#changesInTheEnd ? reconfig({ leaving: '9999' }) : null;
  }

  #look(client: SimulatedClient): void {
    const read: ModelRead = { kind: 'getData', path: configPath, watch: this.#random.percent(40) };
    client.submit(this.#random.percent(50) ? [read] : [{ kind: 'sync', path: configPath }, read]);
  }

  /** A change that leaves enough; null when the one that was drawn would not. */
  #draw(): ModelReconfig | null {
    const random = this.#random;
    const { inForce } = this.#world.configurations;
    const kind = pick(random, kinds);
    const lines = new Map(inForce.lines);
    const request = drawers[kind]?.(this, random, lines) ?? null;
    if (request === null || !this.#mayBe({ version: 0, lines })) return null;
    this.#world.configurations.noteAsked({ version: 0, lines }, this.#world.nowMs());
    const name = `asked: ${kind}`;
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    this.#world.say(`to be asked: ${kind} ${JSON.stringify(request)}`);
    const choice = random.below(100);
    if (choice < 65) return request;
    // By its version; the one before, or one that never was, is refused.
    const fromConfig = choice < 90 ? inForce.version : inForce.version + random.below(3) - 1;
    return { ...request, fromConfig };
  }

  /** With three voters one may fail; and of those that lost their data there must be few. */
  #mayBe(members: ModelMembers): boolean {
    const voters = votersIn(members);
    if (voters.size < 3 && !this.#random.percent(25)) return false;
    const { configurations } = this.#world;
    const damaged = this.#world.members.filter(({ id, isDamaged, isEmpty }) => {
      return voters.has(id) && (isDamaged || isEmpty || configurations.isObserver(id));
    });
    return damaged.length <= spareVoters(voters);
  }

  /** A member that is no part of the ensemble; its process is started, with an empty disk or what it had. */
  recruit(): EnsembleMember | null {
    const { configurations, members } = this.#world;
    const free = members.filter(({ id }) => !configurations.has(id));
    if (free.length === 0) return null;
    const member = pick(this.#random, free);
    const isNew = member.lives === 0;
    const mayForget = configurations.possible.every((voters) => !voters.has(member.id));
    if (!member.isUp && (isNew || mayForget)) {
      if (isNew || this.#random.percent(50)) this.#world.replaceDisk(member);
      this.#writeFiles(member, memberLine(member.id, 'participant'));
    }
    if (!member.isUp) this.#startLater(member);
    this.#kept.add(member);
    return member;
  }

  /** A member that the ensemble is to do without: the leader more often than the others. */
  victim(): number {
    const { leader, configurations } = this.#world;
    if (leader !== undefined && this.#random.percent(30)) return leader.id;
    return pick(this.#random, [...configurations.inForce.lines.keys()]);
  }

  /** One that has left goes on for a while, is stopped, or is started again as it was. */
  #lookAfter(member: EnsembleMember): void {
    const random = this.#random;
    if (member.isUp && random.percent(12)) {
      this.#kept.delete(member);
      this.#world.say(`${member.id} is not needed any more`);
      if (random.percent(50)) this.#world.stop(member);
      else this.#world.crash(member, 'power');
    } else if (!member.isUp && member.lives > 0 && random.percent(6)) {
      this.#kept.add(member);
      this.#startLater(member);
    } else if (member.isUp) this.#kept.add(member);
  }

  /** What a new member is given: its own line and those of the others. */
  #writeFiles(member: EnsembleMember, line: string): void {
    const lines = new Map(this.#world.configurations.inForce.lines).set(member.id, line);
    const texts = [...lines].map(([id, each]) => `server.${id}=${each}`);
    member.files.write(member.disk, `${texts.join('\n')}\n`);
    member.toldVersion = -1;
    member.isGivenMembers = true;
  }
}

/** Makes a request out of the members, and of those the members that it asks for. */
type Drawer = (
  changes: MembershipChanges,
  random: SeededRandom,
  lines: Map<number, string>,
) => ModelReconfig | null;

const drawers: Readonly<Record<string, Drawer>> = {
  add: (changes, random, lines) => {
    const member = changes.recruit();
    if (member === null) return null;
    return put(lines, member.id, memberLine(member.id, drawType(random), drawShift(random)));
  },
  remove: (changes, _random, lines) => {
    const id = changes.victim();
    lines.delete(id);
    return reconfig({ leaving: String(id) });
  },
  replace: (changes, random, lines) => {
    const id = changes.victim();
    lines.delete(id);
    const member = changes.recruit();
    if (member === null) return null;
    const joining = put(lines, member.id, memberLine(member.id, drawType(random)));
    return { ...joining, leaving: String(id) };
  },
  'another role': (changes, _random, lines) => {
    const id = changes.victim();
    const line = lines.get(id);
    if (line === undefined) return null;
    const [from, to] = line.includes('participant')
      ? (['participant', 'observer'] as const)
      : (['observer', 'participant'] as const);
    return put(lines, id, line.replace(from, to));
  },
  'other ports': (changes, random, lines) => {
    const id = changes.victim();
    const type = lines.get(id)?.includes('participant') ? 'participant' : 'observer';
    return put(lines, id, memberLine(id, type, 10 * (1 + random.below(3))));
  },
  'all members': (changes, random, lines) => {
    if (random.percent(50)) lines.delete(changes.victim());
    const member = random.percent(50) ? changes.recruit() : null;
    if (member !== null) lines.set(member.id, memberLine(member.id, drawType(random)));
    const texts = [...lines].map(([id, line]) => `server.${id}=${line}`);
    return reconfig({ newMembers: texts.join(random.percent(50) ? ',' : '\n') });
  },
  'the same': () => reconfig({ leaving: '9999' }),
  'what cannot be': (_changes, random, lines) => {
    const [id, line] = pick(random, [...lines]);
    const voters = [...votersIn({ version: 0, lines })];
    return pick(random, [
      reconfig({ joining: 'server.99' }),
      reconfig({ joining: 'server.99=host99:2888:3888:participant' }),
      reconfig({ joining: `server.99=${line}` }),
      reconfig({ leaving: `server.${id}` }),
      reconfig({ leaving: voters.slice(1).join() }),
      reconfig({ newMembers: `server.${id}=${line.replace('participant', 'observer')}` }),
      reconfig({ newMembers: 'nobody' }),
    ]);
  },
};

/** Some kinds are more likely than others. */
const kinds = [
  'add',
  'add',
  'add',
  'remove',
  'remove',
  'replace',
  'another role',
  'another role',
  'other ports',
  'all members',
  'all members',
  'the same',
  'what cannot be',
];

function put(lines: Map<number, string>, id: number, line: string): ModelReconfig {
  lines.set(id, line);
  return reconfig({ joining: `server.${id}=${line}` });
}

function drawType(random: SeededRandom): 'participant' | 'observer' {
  return random.percent(70) ? 'participant' : 'observer';
}

function drawShift(random: SeededRandom): number {
  return random.percent(80) ? 0 : 10;
}

function reconfig(parts: Partial<ModelReconfig>): ModelReconfig {
  const nothing = { joining: null, leaving: null, newMembers: null, fromConfig: -1 };
  return { kind: 'reconfig', ...nothing, ...parts };
}

function pick<T>(random: SeededRandom, items: readonly T[]): T {
  return items[random.below(items.length)] as T;
}
