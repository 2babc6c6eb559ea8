import type { JuteWriter } from '@meerkat/protocol';
import { type NodeId, noNode, rootNode } from './node-table.ts';

/**
 * A walk over the tree in pre-order, a znode at a time, while the tree changes between them: what
 * a fuzzy snapshot is made of. Owns its place; refuses to hold up any change.
 *
 * Each znode is written as it is at that moment, and of its children those that it has at that
 * moment and that are still there when the walk comes to them: a child created later is left out,
 * so that replaying its creation moves the parent's counters (`DataTree.serializeNode`).
 * New children go to the front of their parent's list, where no walk looks any more.
 */
export class TreeCursor {
  readonly #walk: WalkedTree;
  /** The znode to be written next, `noNode` at the end. */
  #next: NodeId = rootNode;

  constructor(walk: WalkedTree) {
    this.#walk = walk;
  }

  /**
   * Writes the next znode as snapshots hold it: its path ("" for the root), data, ACL number and stat.
   *
   * @returns false, with nothing written, at the end
   */
  writeNext(writer: JuteWriter): boolean {
    const node = this.#next;
    if (node === noNode) return false;
    this.#walk.writeRecord(writer, node);
    this.#next = this.#walk.after(node);
    return true;
  }

  /** Moves off a znode without children that is about to go. Called by the tree. */
  leave(node: NodeId): void {
    if (node === this.#next) this.#next = this.#walk.after(node);
  }

  /** Ends the walk; the tree need not keep it up to date any longer. */
  close(): void {
    this.#next = noNode;
    this.#walk.closed(this);
  }
}

/** What a cursor needs of its tree. */
export interface WalkedTree {
  writeRecord(writer: JuteWriter, node: NodeId): void;
  /** The znode after this one in pre-order, `noNode` at the end. */
  after(node: NodeId): NodeId;
  closed(cursor: TreeCursor): void;
}
