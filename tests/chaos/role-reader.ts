import type { EnsembleMember } from '../peers/support/ensemble-member.ts';
import type { Recorder } from './recorder.ts';

/** Takes from members' logs who leads and who follows, and in which epoch. */
export class RoleReader {
  readonly #recorder: Recorder;
  readonly #readTo = new Map<number, number>();

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** Reads the whole lines that the member has logged since the last time. */
  read({ id, log }: EnsembleMember): void {
    const from = this.#readTo.get(id) ?? 0;
    const to = log.lastIndexOf('\n') + 1;
    this.#readTo.set(id, to);
    for (const [, what, epoch] of log.slice(from, to).matchAll(roles)) {
      const role = what === 'leads' ? 'leading' : 'following';
      this.#recorder.note({ member: id, role, epoch: Number(epoch) });
    }
  }
}

const roles = /server \d+ (leads|follows)[^\n]*? epoch=(\d+)/g;
