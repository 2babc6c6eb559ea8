import assert from 'node:assert/strict';
import { describeReply } from '../model/describe-reply.ts';
import { answerRead, type ModelRead } from '../model/model-reads.ts';
import type { ModelCaller, ModelChange, ModelTree, ModelWrite } from '../model/model-tree.ts';
import { ModelWatches } from '../model/model-watches.ts';
import type { Received, Reply, ScriptedClient } from '../scripted-client.ts';

/** All transactions, in their order: what the trees were and what changed. */
export interface ModelHistory {
  readonly lastZxid: number;
  treeAt(zxid: number): ModelTree;
  changesOf(zxid: number): readonly ModelChange[];
  /** Whether the changes of a transaction may come in any order: those of a closeSession. */
  isUnordered(zxid: number): boolean;
}

/** A request on its way, and what is known of its answer. */
export type Expected =
  | { readonly xid: number; readonly read: ModelRead; readonly zxidMin: number }
  | {
      readonly xid: number;
      readonly write: ModelWrite;
      readonly zxid: number;
      readonly err: number;
      readonly body: unknown;
    };

/**
 * One connection, checked as its client sees it: replies in the order of the requests, each as the model
 * has it at the zxid that it carries, no zxid before one that was seen, and in between exactly the
 * events of its watches, each before the first reply that shows the change.
 */
export class ModelClient {
  readonly client: ScriptedClient;
  readonly caller: ModelCaller;
  /** Requests without an answer yet. */
  readonly expected: Expected[] = [];
  /** When the server heard of it last, monotonic ms. */
  heardMs = 0;
  /** The newest zxid seen in a reply. */
  seenZxid: number;
  readonly #watches = new ModelWatches();
  readonly #history: ModelHistory;
  /** Transactions up to here have fired their watches. */
  #firedZxid: number;
  /** Events that have to come next; of one transaction at a time. */
  #due: { readonly zxid: number; readonly events: string[] } = { zxid: 0, events: [] };
  #caughtUp: string[] = [];

  constructor(client: ScriptedClient, caller: ModelCaller, history: ModelHistory, zxid: number) {
    this.client = client;
    this.caller = caller;
    this.#history = history;
    this.seenZxid = zxid;
    this.#firedZxid = zxid;
  }

  /** Checks what has arrived. */
  check(): void {
    for (const each of this.client.take()) this.#checkOne(each);
  }

  /** Nothing is under way any more: every event must have come. */
  checkAllEvents(): void {
    this.#fireUpTo(this.#history.lastZxid);
    assert.deepEqual(this.#due.events, [], `events of ${this.#due.zxid} that never came`);
  }

  #checkOne(received: Received): void {
    if (received.kind === 'handshake') return;
    if (received.kind === 'event') {
      const event = `${received.event.type} ${received.event.path}`;
      if (received.zxid === -1) this.#caughtUp.push(event);
      else this.#checkEvent(event, received.zxid);
    } else if (received.reply.xid > 0) {
      this.#checkReply(received.reply);
    }
  }

  #checkEvent(event: string, zxid: number): void {
    this.#fireUpTo(zxid);
    assert.equal(
      this.#due.zxid,
      zxid,
      `event ${event} of ${zxid}, due are ${this.#due.events.join()}`,
    );
    const index = this.#history.isUnordered(zxid) ? this.#due.events.indexOf(event) : 0;
    assert.equal(
      this.#due.events[index],
      event,
      `event of ${zxid}, due are ${this.#due.events.join()}`,
    );
    this.#due.events.splice(index, 1);
  }

  #checkReply(reply: Reply): void {
    const expected = this.expected.shift();
    assert.ok(expected !== undefined, `reply ${reply.xid} to no request`);
    assert.equal(reply.xid, expected.xid, 'replies in order');
    this.#fireUpTo(reply.zxid);
    assert.deepEqual(this.#due.events, [], `events of ${this.#due.zxid} missing at ${reply.zxid}`);
    assert.ok(reply.zxid >= this.seenZxid, `zxid ${reply.zxid} after ${this.seenZxid}`);
    this.seenZxid = reply.zxid;
    if ('write' in expected) {
      const { write, zxid, err, body } = expected;
      const what = JSON.stringify(write);
      assert.equal(reply.zxid, zxid, `zxid of ${what}`);
      assert.equal(reply.err, err, `error of ${what}`);
      if (err === 0) assert.deepEqual(describeReply(write, reply), body ?? {}, what);
      return;
    }
    const { read, zxidMin } = expected;
    const what = JSON.stringify(read);
    assert.ok(reply.zxid >= zxidMin, `${what} at ${reply.zxid}, not before ${zxidMin}`);
    const next = this.expected.find((each) => 'write' in each);
    assert.ok(next === undefined || reply.zxid < (next as { zxid: number }).zxid, 'a later write');
    const answer = answerRead(this.#history.treeAt(reply.zxid), read, this.caller, this.#watches);
    assert.equal(reply.err, answer.err, `error of ${what}`);
    if (answer.err === 0) assert.deepEqual(describeReply(read, reply), answer.body ?? {}, what);
    assert.deepEqual(this.#caughtUp, answer.events ?? [], `events of ${what}`);
    this.#caughtUp = [];
  }

  /** Lets the transactions after the last one fire, and stops behind the first that has something to tell. */
  #fireUpTo(zxid: number): void {
    while (this.#due.events.length === 0 && this.#firedZxid < zxid) {
      this.#firedZxid++;
      const changes = this.#history.changesOf(this.#firedZxid);
      const events = changes.flatMap((change) => this.#watches.fire(change, this.caller));
      this.#due = { zxid: this.#firedZxid, events };
    }
  }
}
