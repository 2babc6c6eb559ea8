import { JuteWriter } from '@meerkat/protocol';

/**
 * Reply buffers, lent to connections while they have something to say. Owns the spare ones;
 * bounded, so that a burst does not keep its memory.
 */
export class OutboxPool {
  readonly #spare: JuteWriter[] = [];

  /** An empty writer. */
  take(): JuteWriter {
    return this.#spare.pop()?.clear() ?? new JuteWriter(outboxBytes);
  }

  /** Gives a writer back; one that has grown, or that nobody needs, is dropped. */
  giveBack(writer: JuteWriter): void {
    if (this.#spare.length < spareMax && writer.bytes.length <= keptBytesMax)
      this.#spare.push(writer);
  }
}

/** Room a reply buffer starts with: ten thousand connections may be told of one event at once. */
const outboxBytes = 512;
/** A buffer that has grown beyond this is not kept. */
const keptBytesMax = 256 * 1024;
/** Spare buffers kept. */
const spareMax = 256;
