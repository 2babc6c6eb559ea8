import { shellLimits } from '../limits.ts';
import type { ClientConnection } from './client-connection.ts';

/** Who is told how the sending goes. */
export interface LongAnswersListener {
  /** A piece was given to the socket. */
  onPiece(connection: ClientConnection): void;
  /** All of it was, what the socket still keeps included. */
  onEnd(connection: ClientConnection): void;
}

/**
 * Texts too long to be made in one go, such as a list of a million watches: lines are asked for and
 * sent a piece at a time, only while the peer reads, and all such answers together take a slice
 * of each turn. Owns what is under way; a connection that is gone is forgotten.
 */
export class LongAnswers {
  readonly #listener: LongAnswersListener;
  /** Answers whose peer is ready for more, in the order of their turns. */
  #ready: Answer[] = [];
  #isScheduled = false;
  readonly #run = (): void => this.#runSlice();

  constructor(listener: LongAnswersListener) {
    this.#listener = listener;
  }

  /** Sends lines, now or later, then reports the end. */
  send(connection: ClientConnection, lines: Iterable<string>): void {
    this.#ready.push({ connection, lines: lines[Symbol.iterator]() });
    if (!this.#isScheduled) this.#runSlice();
  }

  #runSlice(): void {
    this.#isScheduled = false;
    const endMs = performance.now() + shellLimits.wordSliceMs;
    do {
      const answer = this.#ready.shift();
      if (answer === undefined) return;
      this.#sendPiece(answer);
    } while (performance.now() < endMs);
    if (this.#ready.length === 0) return;
    this.#isScheduled = true;
    setImmediate(this.#run);
  }

  #sendPiece(answer: Answer): void {
    const { connection, lines } = answer;
    const { socket } = connection;
    if (socket.destroyed) return;
    let text = '';
    let isOver = false;
    for (let i = 0; i < linesPerPiece && text.length < shellLimits.wordPieceCharacters; i++) {
      const next = lines.next();
      isOver = next.done === true;
      if (isOver) break;
      text += next.value;
    }
    if (text !== '') socket.write(text);
    this.#listener.onPiece(connection);
    if (isOver) this.#listener.onEnd(connection);
    else if (socket.writableNeedDrain) socket.once('drain', () => this.#goOn(answer));
    else this.#ready.push(answer);
  }

  #goOn(answer: Answer): void {
    this.#ready.push(answer);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#run);
  }
}

interface Answer {
  readonly connection: ClientConnection;
  readonly lines: Iterator<string>;
}

/** Lines asked for between two looks at the clock. */
const linesPerPiece = 500;
