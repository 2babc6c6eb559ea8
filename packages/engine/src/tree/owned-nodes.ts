import { assert } from '@meerkat/protocol';
import { type NodeId, type NodeTable, noNode } from './node-table.ts';

/**
 * A list of znodes in the order they came, through links in the node table. A znode is in at most
 * one: that of its session, of the containers or of the TTL znodes.
 */
export class OwnedNodes {
  readonly #nodes: NodeTable;
  #head = noNode;
  #tail = noNode;
  #count = 0;

  constructor(nodes: NodeTable) {
    this.#nodes = nodes;
  }

  /** Znodes in the list. */
  get count(): number {
    return this.#count;
  }

  /** The oldest znode, `noNode` when the list is empty. */
  get first(): NodeId {
    return this.#head;
  }

  /** The znode after `node`, `noNode` at the end. */
  after(node: NodeId): NodeId {
    return this.#nodes.nextOwned(node);
  }

  add(node: NodeId): void {
    const tail = this.#tail;
    this.#nodes.setPreviousOwned(node, tail);
    this.#nodes.setNextOwned(node, noNode);
    if (tail === noNode) this.#head = node;
    else this.#nodes.setNextOwned(tail, node);
    this.#tail = node;
    this.#count++;
  }

  remove(node: NodeId): void {
    const next = this.#nodes.nextOwned(node);
    const previous = this.#nodes.previousOwned(node);
    assert(this.#count > 0, 'a list that loses a znode has one', node);
    assert(previous !== noNode || this.#head === node, 'a removed znode is in its list', node);
    if (previous === noNode) this.#head = next;
    else this.#nodes.setNextOwned(previous, next);
    if (next === noNode) this.#tail = previous;
    else this.#nodes.setPreviousOwned(next, previous);
    this.#nodes.setNextOwned(node, noNode);
    this.#nodes.setPreviousOwned(node, noNode);
    this.#count--;
  }

  /** The znodes, oldest first, as they are now. */
  toArray(): NodeId[] {
    const nodes: NodeId[] = [];
    for (let node = this.#head; node !== noNode; node = this.after(node)) nodes.push(node);
    return nodes;
  }
}

/** The ephemerals of one session. */
export interface SessionEphemerals {
  /** High half of the session's id. */
  readonly hi: number;
  /** Low half of the session's id. */
  readonly lo: number;
  readonly nodes: OwnedNodes;
}

/**
 * The ephemerals of every session. As in ZooKeeper, a session that once had one stays listed, with none,
 * until it is closed (`DataTree.ephemerals`; the `dump` command shows it).
 */
export class Ephemerals {
  readonly #nodes: NodeTable;
  /** By the low half of the session's id; sessions that share it are in one array. */
  readonly #sessions = new Map<number, SessionEphemerals[]>();
  #sessionCount = 0;
  #count = 0;

  constructor(nodes: NodeTable) {
    this.#nodes = nodes;
  }

  /** All ephemerals. */
  get count(): number {
    return this.#count;
  }

  /** Sessions listed. */
  get sessionCount(): number {
    return this.#sessionCount;
  }

  get(sessionHi: number, sessionLo: number): SessionEphemerals | undefined {
    return this.#sessions.get(sessionLo)?.find((session) => session.hi === sessionHi);
  }

  add(node: NodeId, sessionHi: number, sessionLo: number): void {
    let session = this.get(sessionHi, sessionLo);
    if (session === undefined) {
      session = { hi: sessionHi, lo: sessionLo, nodes: new OwnedNodes(this.#nodes) };
      const sharing = this.#sessions.get(sessionLo);
      if (sharing === undefined) this.#sessions.set(sessionLo, [session]);
      else sharing.push(session);
      this.#sessionCount++;
    }
    session.nodes.add(node);
    this.#count++;
  }

  remove(node: NodeId, sessionHi: number, sessionLo: number): void {
    const session = this.get(sessionHi, sessionLo);
    assert(session !== undefined, 'the owner of an ephemeral is listed', node);
    session.nodes.remove(node);
    this.#count--;
  }

  /** Forgets a session whose ephemerals are gone. */
  close(sessionHi: number, sessionLo: number): void {
    const sharing = this.#sessions.get(sessionLo);
    const index = sharing?.findIndex((session) => session.hi === sessionHi) ?? -1;
    if (sharing === undefined || index === -1) return;
    assert(sharing[index]?.nodes.count === 0, 'a closed session owns nothing');
    sharing.splice(index, 1);
    if (sharing.length === 0) this.#sessions.delete(sessionLo);
    this.#sessionCount--;
  }

  /** Every session listed. */
  *sessions(): IterableIterator<SessionEphemerals> {
    for (const sharing of this.#sessions.values()) yield* sharing;
  }
}
