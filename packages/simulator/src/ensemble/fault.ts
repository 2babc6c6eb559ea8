import type { SeededRandom } from '../seeded-random.ts';
import type { PeerFabric } from '../simulated-peer-network.ts';
import type { EndOfLife, EnsembleMember } from './ensemble-member.ts';

/** Does something to the ensemble; false when there was nothing to do it to. */
export type Fault = (host: FaultHost, random: SeededRandom, isOver: () => boolean) => boolean;

/** The process of a client, as far as faults know it. */
export interface FaultyClient {
  readonly name: string;
  readonly host: string;
  /** The process is gone, without a word. */
  crash(): void;
  /** The process stands still. */
  standStill(ms: number): void;
}

/** What faults are done to, and how the world goes on afterwards. */
export interface FaultHost {
  readonly members: readonly EnsembleMember[];
  readonly clients: readonly FaultyClient[];
  readonly fabric: PeerFabric;
  readonly tickTimeMs: number;
  after(ms: number, action: () => void): void;
  say(text: string): void;
  /** Ends a member's life; somebody starts it again, sooner or later. */
  crash(member: EnsembleMember, how: EndOfLife): void;
  /** Ends a member's life and takes its data, if enough others keep theirs. False: it would be too much. */
  loseDisk(member: EnsembleMember, damage: (member: EnsembleMember) => void): boolean;
  /** Stops a member in good order. */
  stop(member: EnsembleMember): void;
}

/** A member that is up, undefined when none is. */
export function anyUp(host: FaultHost, random: SeededRandom): EnsembleMember | undefined {
  const up = host.members.filter(({ isUp }) => isUp);
  return up[random.below(Math.max(1, up.length))];
}

/** Everybody's name in the network. */
export function allHosts({ members, clients }: FaultHost): string[] {
  return [...members, ...clients].map(({ host }) => host);
}

/** Blocks, or frees, everything between two sides. */
export function setBlocked(
  { fabric }: FaultHost,
  left: readonly string[],
  right: readonly string[],
  isBlocked: boolean,
): void {
  for (const a of left) {
    for (const b of right) {
      fabric.setBlocked(a, b, isBlocked);
      fabric.setBlocked(b, a, isBlocked);
    }
  }
}

/** Most of what breaks is mended after a while; the rest stays until everything is. */
export function healLater(
  host: FaultHost,
  random: SeededRandom,
  isOver: () => boolean,
  mend: () => void,
): void {
  if (random.percent(15)) return;
  host.after(random.below(12 * host.tickTimeMs), () => {
    if (!isOver()) mend();
  });
}
