import type { ClientPorts, HostPort, Stream, StreamHandler, TimerHandle } from './ports.ts';

const intervalMsMin = 100;
const intervalMsMax = 60_000;
const answerTimeoutMs = 1000;

/** Names the servers to ask, in turn. */
export interface ServerSource {
  next(): HostPort;
}

/**
 * While a client is served read-only, asks the servers in turn, with the word `isro`, whether one takes writes: after 100 ms,
 * then at intervals that double up to a minute (`ClientCnxn.pingRwServer`).
 */
export class ReadWriteProbe implements StreamHandler {
  readonly #ports: ClientPorts;
  readonly #hosts: ServerSource;
  readonly #onFound: (server: HostPort) => void;
  #intervalMs = intervalMsMin;
  #timer: TimerHandle | null = null;
  #stream: Stream | null = null;
  #server: HostPort | null = null;
  #answer = '';

  constructor(ports: ClientPorts, hosts: ServerSource, onFound: (server: HostPort) => void) {
    this.#ports = ports;
    this.#hosts = hosts;
    this.#onFound = onFound;
  }

  start(): void {
    this.#intervalMs = intervalMsMin;
    this.#wait();
  }

  stop(): void {
    if (this.#timer !== null) this.#ports.clock.cancelTimer(this.#timer);
    this.#timer = null;
    this.#stream?.close();
    this.#stream = null;
  }

  onOpen(): void {
    this.#stream?.write(Uint8Array.of(0x69, 0x73, 0x72, 0x6f));
  }

  onBytes(bytes: Uint8Array): void {
    this.#answer += String.fromCharCode(...bytes.subarray(0, 8));
    if (this.#answer.length >= 2) this.#finish();
  }

  onDrained(): void {}

  onClosed(): void {
    this.#stream = null;
    this.#finish();
  }

  #wait(): void {
    this.#timer = this.#ports.clock.startTimer(this.#intervalMs, () => this.#ask());
    this.#intervalMs = Math.min(this.#intervalMs * 2, intervalMsMax);
  }

  #ask(): void {
    this.#answer = '';
    this.#server = this.#hosts.next();
    this.#timer = this.#ports.clock.startTimer(answerTimeoutMs, () => this.#finish());
    this.#stream = this.#ports.transport.dial(this.#server, this);
  }

  #finish(): void {
    this.stop();
    if (this.#server !== null && this.#answer.startsWith('rw')) this.#onFound(this.#server);
    else this.#wait();
  }
}
