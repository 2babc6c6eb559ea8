import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestEnsemble } from '@meerkat/testing';
import { ControlError } from './control-error.ts';
import { type ControlBody, controlVerbs, runVerb, statusOf, unknownPath } from './control-verbs.ts';

/** Bytes of a request's body, at most. */
const bodyBytesMax = 64 * 1024;

/**
 * The control port of a test server: HTTP on 127.0.0.1, a JSON object in and out. `GET /status` tells the state of things, `POST` of a
 * verb changes it and answers the same, `POST /stop` ends the server. Errors are `{"error": "Cannot …"}`.
 *
 * Owns what HTTP is; what the verbs mean is in `control-verbs.ts`. Refuses requests that a web page may have caused.
 */
export class ControlServer {
  readonly #ensemble: TestEnsemble;
  readonly #onStop: () => void;
  readonly #server: Server;

  constructor(ensemble: TestEnsemble, onStop: () => void) {
    this.#ensemble = ensemble;
    this.#onStop = onStop;
    this.#server = createServer((request, response) => {
      void this.#answer(request, response);
    });
  }

  /** Opens the port; 0 lets the system choose. Returns its number. */
  listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', () =>
        resolve((this.#server.address() as AddressInfo).port),
      );
    });
  }

  /** Closes the port and every connection. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://127.0.0.1').pathname;
    try {
      refuseForeign(request);
      requireMethod(request, path, response);
      const body = request.method === 'POST' ? await readBody(request) : {};
      if (path === '/stop') {
        // The process ends behind the answer.
        response.once('close', () => this.#onStop());
        response.setHeader('Connection', 'close');
      } else if (path !== '/status') {
        await runVerb(this.#ensemble, path, body);
      }
      send(response, 200, statusOf(this.#ensemble));
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
      // What is left of the request is not read.
      if (!request.complete) response.setHeader('Connection', 'close');
      send(response, error.status, { error: error.message });
    }
  }
}

/** Browsers say where a page is from, and which name they looked up. */
function refuseForeign(request: IncomingMessage): void {
  const { host, origin } = request.headers;
  const isLocal = host === undefined || /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host);
  if (isLocal && origin === undefined) return;
  const what = origin === undefined ? `host ${host}` : `origin ${origin}`;
  throw new ControlError(403, `Cannot take a request of ${what}: web pages control nothing here`);
}

function requireMethod(request: IncomingMessage, path: string, response: ServerResponse): void {
  const isKnown = path === '/status' || path === '/stop' || Object.hasOwn(controlVerbs, path);
  if (!isKnown) throw new ControlError(404, unknownPath(path));
  const method = path === '/status' ? 'GET' : 'POST';
  if (request.method === method) return;
  response.setHeader('Allow', method);
  throw new ControlError(405, `Cannot ${request.method} ${path}: it is for ${method}`);
}

/** The body as JSON, whatever its content type says; nothing at all is an empty object. */
async function readBody(request: IncomingMessage): Promise<ControlBody> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > bodyBytesMax) {
      throw new ControlError(413, `Cannot read a body of more than ${bodyBytesMax} bytes`);
    }
    pieces.push(piece);
  }
  const text = Buffer.concat(pieces).toString();
  if (text.trim() === '') return {};
  const body = parse(text);
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as ControlBody;
  throw new ControlError(400, 'Cannot read the body: it must be a JSON object');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ControlError(400, `Cannot read the body as JSON: ${(error as Error).message}`);
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}
