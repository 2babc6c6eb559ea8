import {
  type ClientPorts,
  type HostPort,
  nodePorts,
  type Stream,
  type StreamHandler,
} from '@meerkat/client';
import type { Recorder } from './recorder.ts';

/** The ports of the client library on Node; whatever passes over its connections is recorded, in both directions. */
export function recordingPorts(recorder: Recorder, client: string): ClientPorts {
  return {
    ...nodePorts,
    transport: { dial: (server, handler) => new RecordedStream(recorder, client, server, handler) },
  };
}

/** A stream that writes down what is sent before it leaves, and what is received before the client has it. */
class RecordedStream implements Stream {
  readonly #recorder: Recorder;
  readonly #connection: number;
  readonly #inner: Stream;
  #isOver = false;

  constructor(recorder: Recorder, client: string, server: HostPort, handler: StreamHandler) {
    this.#recorder = recorder;
    this.#connection = recorder.nextConnection();
    this.#note({ opened: `${server.host}:${server.port}`, client });
    this.#inner = nodePorts.transport.dial(server, {
      onOpen: () => handler.onOpen(),
      onBytes: (bytes) => {
        this.#note({ received: Buffer.from(bytes).toString('base64') });
        handler.onBytes(bytes);
      },
      onDrained: () => handler.onDrained(),
      onClosed: (cause) => {
        this.#end();
        handler.onClosed(cause);
      },
    });
  }

  get unsentBytes(): number {
    return this.#inner.unsentBytes;
  }

  write(bytes: Uint8Array): boolean {
    this.#note({ sent: Buffer.from(bytes).toString('base64') });
    return this.#inner.write(bytes);
  }

  close(): void {
    this.#end();
    this.#inner.close();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#note({ ended: true });
  }

  #note(entry: object): void {
    this.#recorder.note({ connection: this.#connection, ...entry });
  }
}
