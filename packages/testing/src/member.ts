import type { Random, Replica, ReplicaConfig } from '@meerkat/engine';
import type { PeerFabric, SimulatedConnection } from '@meerkat/simulator';
import type { EnsembleTime } from './ensemble-time.ts';
import { MemberProcess } from './member-process.ts';
import type { Storage } from './storage.ts';
import type { TestMember, TestMemberRole, TestMemberState } from './test-member.ts';

/** What a member is made of. */
export interface MemberOptions {
  readonly index: number;
  readonly time: EnsembleTime;
  readonly storage: Storage;
  readonly random: Random;
  readonly config: ReplicaConfig;
  readonly fabric: PeerFabric;
  readonly address: string;
  readonly dataDirectory: string | null;
}

/** One member over all its lives. Owns which state it is in, and refuses what does not fit it. */
export class Member implements TestMember {
  readonly index: number;
  readonly address: string;
  readonly dataDirectory: string | null;
  readonly #options: MemberOptions;
  #process: MemberProcess | null = null;
  #state: TestMemberState = 'killed';

  constructor(options: MemberOptions) {
    this.#options = options;
    this.index = options.index;
    this.address = options.address;
    this.dataDirectory = options.dataDirectory;
  }

  get state(): TestMemberState {
    return this.#state;
  }

  get role(): TestMemberRole | null {
    const { replica } = this;
    if (replica === null) return null;
    return replica.member === null ? 'standalone' : roles[replica.member.role];
  }

  /** Whether it decides what happens: the leader, or one that is alone. */
  get isDeciding(): boolean {
    const { role } = this;
    return role === 'leader' || role === 'standalone';
  }

  /** Whether there is a process that takes connections, standing still or not. */
  get isUp(): boolean {
    return this.#state === 'running' || this.#state === 'paused';
  }

  /** The replica; null while it does not run. */
  get replica(): Replica | null {
    return this.#state === 'running' ? (this.#process?.replica ?? null) : null;
  }

  async start(): Promise<void> {
    const { index, time, storage, random, config, fabric } = this.#options;
    const process = new MemberProcess({
      time,
      storage,
      random,
      config,
      fabric,
      peerHost: peerHostOf(index),
      onFailed: () => this.#end(process, 'failed'),
    });
    await process.start();
    this.#process = process;
    this.#state = 'running';
  }

  /** A client connects; null when nobody takes the connection. */
  connect(address: string): SimulatedConnection | null {
    return this.isUp ? (this.#process?.connect(address) ?? null) : null;
  }

  pause(): void {
    if (this.#state === 'paused') return;
    this.#require('pause', 'running');
    this.#process?.standStill();
    this.#state = 'paused';
  }

  resume(): void {
    if (this.#state === 'running') return;
    this.#require('resume', 'paused');
    this.#process?.goOn();
    this.#state = 'running';
  }

  async kill(): Promise<void> {
    const process = this.#process;
    if (process === null) return;
    this.#process = null;
    this.#state = 'killed';
    await process.kill();
  }

  /** Ends a running member in good order, any other as it is, and starts it again. */
  async restart(): Promise<void> {
    const process = this.#process;
    if (this.#state === 'running' && process !== null) {
      this.#process = null;
      this.#state = 'killed';
      await process.stop();
    } else {
      await this.kill();
    }
    await this.start();
  }

  #end(process: MemberProcess, state: TestMemberState): void {
    if (this.#process !== process) return;
    this.#process = null;
    this.#state = state;
    void process.kill();
  }

  #require(verb: string, state: TestMemberState): void {
    if (this.#state === state) return;
    throw new Error(
      `Cannot ${verb} member ${this.index}: current value is ${this.#state}; it must be ${state}`,
    );
  }
}

/** The name of a member in the network between members. */
export function peerHostOf(memberIndex: number): string {
  return `member-${memberIndex}`;
}

const roles = {
  looking: null,
  leading: 'leader',
  following: 'follower',
  observing: 'observer',
} as const;
