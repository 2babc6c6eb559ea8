import type { Stream, StreamHandler } from '@meerkat/client';
import type { SimulatedConnection } from '@meerkat/simulator';
import type { EnsembleTime } from './ensemble-time.ts';
import type { Member } from './member.ts';
import type { LinkOwner } from './partition.ts';

/** What a link needs to know. */
export interface ClientLinkOptions {
  readonly time: EnsembleTime;
  readonly member: Member;
  /** Whose it is: partitions tell clients apart. */
  readonly owner: LinkOwner;
  /** The client's address, as ACLs see it. */
  readonly address: string;
  readonly isBlocked: boolean;
  readonly onGone: (link: ClientLink) => void;
}

/**
 * One client's stream to one member, from the dial on. Owns what a partition makes of it: bytes of both sides wait, ends are
 * not heard of, and dials are not answered until the way is free again.
 */
export class ClientLink implements Stream {
  readonly member: Member;
  readonly owner: LinkOwner;
  readonly #options: ClientLinkOptions;
  readonly #handler: StreamHandler;
  #connection: SimulatedConnection | null = null;
  #isBlocked: boolean;
  /** The client has closed. */
  #isClosed = false;
  /** The member's end is gone, and the client has not been told. */
  #isCut = false;
  #isReading = true;
  /** Written while the way was blocked. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;

  constructor(options: ClientLinkOptions, handler: StreamHandler) {
    this.member = options.member;
    this.owner = options.owner;
    this.#options = options;
    this.#handler = handler;
    this.#isBlocked = options.isBlocked;
    if (!this.#isBlocked) this.#later(() => this.#dial());
  }

  /** The number of the connection at the member; null before it has one. */
  get connectionId(): number | null {
    return this.#connection?.id ?? null;
  }

  /** Whether bytes go through. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  get unsentBytes(): number {
    return this.#heldBytes;
  }

  /** Bytes sent that the member has not read. */
  get unreadBytes(): number {
    return this.#heldBytes + (this.#connection?.unreadBytes ?? 0);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isClosed) return true;
    if (this.#isBlocked || this.#connection === null) {
      this.#held.push(bytes);
      this.#heldBytes += bytes.length;
      return false;
    }
    this.#connection.send(bytes);
    this.#options.time.poke();
    return true;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#connection === null || this.#isCut) this.#gone();
    else if (!this.#isBlocked) this.#end();
  }

  /** Takes what the member sends, or lets it wait: for a reader that is slow. */
  setReading(isReading: boolean): void {
    this.#isReading = isReading;
    this.#connection?.setReading(isReading && !this.#isBlocked);
    this.#options.time.poke();
  }

  /** Blocks the way, or frees it: what waited goes on then. */
  setBlocked(isBlocked: boolean): void {
    if (isBlocked === this.#isBlocked) return;
    this.#isBlocked = isBlocked;
    if (isBlocked) this.#connection?.setReading(false);
    else this.#later(() => this.#goOn());
  }

  /** Breaks the connection for both sides, now. */
  cut(): void {
    this.#connection?.cut();
  }

  #dial(): void {
    if (this.#isClosed || this.#isBlocked) return;
    const connection = this.member.connect(this.#options.address);
    if (connection === null) {
      this.#tellEnd(systemError('ECONNREFUSED', this.member));
      return;
    }
    this.#connection = connection;
    connection.onBytes = (bytes) => {
      if (!this.#isClosed) this.#handler.onBytes(bytes);
    };
    connection.onClosed = () => {
      this.#isCut = true;
      this.#later(() => this.#onCut());
    };
    connection.setReading(this.#isReading);
    this.#handler.onOpen();
    if (this.#held.length > 0) this.#goOn();
  }

  /** The way is free. */
  #goOn(): void {
    if (this.#isBlocked) return;
    if (this.#connection === null) return this.#dial();
    if (this.#isCut) return this.#onCut();
    const hadHeld = this.#held.length > 0;
    for (const bytes of this.#held.splice(0)) this.#connection.send(bytes);
    this.#heldBytes = 0;
    this.#connection.setReading(this.#isReading);
    this.#options.time.poke();
    if (this.#isClosed) this.#end();
    else if (hadHeld) this.#handler.onDrained();
  }

  #onCut(): void {
    if (this.#isClosed) return this.#gone();
    // Nobody hears of an end behind a partition.
    if (!this.#isBlocked)
      this.#tellEnd(this.member.isUp ? null : systemError('ECONNRESET', this.member));
  }

  #end(): void {
    this.#connection?.end();
    this.#gone();
    this.#options.time.poke();
  }

  #tellEnd(cause: Error | null): void {
    this.#gone();
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#handler.onClosed(cause);
  }

  #gone(): void {
    this.#held = [];
    this.#heldBytes = 0;
    this.#options.onGone(this);
  }

  #later(action: () => void): void {
    this.#options.time.after(0, action);
  }
}

/** An error as the system reports it for a socket. */
function systemError(code: string, member: Member): Error {
  const said = code === 'ECONNREFUSED' ? 'refused the connection' : 'reset the connection';
  return Object.assign(new Error(`${member.address} ${said}: the member is ${member.state}`), {
    code,
  });
}
