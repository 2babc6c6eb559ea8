import { ErrorCode, OpCode } from '@meerkat/protocol';
import type { CanonicalFrame } from './canonical-reply.ts';
import type { DifferentialRequest } from './step.ts';

/**
 * Where ZooKeeper's trunk, which Meerkat follows, differs from the Java 3.8.0 that the differential test runs beside it.
 * Every difference that is tolerated stands here; everything else must be equal.
 */
export interface KnownDifference {
  readonly name: string;
  readonly reason: string;
  /**
   * Makes the reference's frame what trunk would have answered, or returns undefined when this row does not apply.
   * Absent for what the generator does not send at all, since the servers would not be comparable afterwards.
   */
  readonly translate?: (
    reference: CanonicalFrame,
    subject: CanonicalFrame,
    request: DifferentialRequest | undefined,
  ) => CanonicalFrame | undefined;
}

export const knownDifferences: readonly KnownDifference[] = [
  {
    name: 'zxid in the header of a notification',
    reason:
      'ZOOKEEPER-4655 (3.9.0) sends the zxid of the transaction that fired the watch; before, it was -1',
    translate: (reference, subject) =>
      'event' in reference && 'event' in subject && reference.zxid === -1 && subject.zxid > 0
        ? { ...reference, zxid: subject.zxid }
        : undefined,
  },
  {
    name: 'exists needs READ',
    reason: 'ZOOKEEPER-2590 (3.9.2) answers NOAUTH; before, everybody could see a Stat',
    translate: (reference, subject, request) =>
      request?.type === OpCode.exists &&
      isReply(reference, ErrorCode.ok) &&
      isReply(subject, ErrorCode.noAuth)
        ? { ...reference, err: ErrorCode.noAuth, body: null }
        : undefined,
  },
  {
    name: 'checkWatches sees the watches of others',
    reason: 'before ZOOKEEPER-4466 (3.9.0) any connection that watched the path made the answer OK',
    translate: (reference, subject, request) =>
      request?.type === OpCode.checkWatches &&
      isReply(reference, ErrorCode.ok) &&
      isReply(subject, ErrorCode.noWatcher)
        ? { ...reference, err: ErrorCode.noWatcher }
        : undefined,
  },
  {
    name: 'checkWatches of a path without a slash',
    reason:
      'before ZOOKEEPER-4466 (3.9.0) the search for recursive watches above such a path failed',
    translate: (reference, subject, request) =>
      request?.type === OpCode.checkWatches &&
      request.paths[0]?.includes('/') === false &&
      isReply(reference, ErrorCode.marshallingError) &&
      'xid' in subject &&
      (subject.err === ErrorCode.ok || subject.err === ErrorCode.noWatcher)
        ? { ...reference, err: subject.err }
        : undefined,
  },
  {
    name: 'create2 in a multi',
    reason:
      'ZOOKEEPER-4026 (3.9.0) answers with path and Stat; before, create2 became a plain create',
    translate: translateMulti,
  },
  {
    name: 'several watch modes on one path',
    reason:
      'not sent: ZOOKEEPER-4466 (3.9.0) keeps them side by side; before, the last one replaced the others',
  },
  {
    name: 'removal of persistent watches as children or data watches',
    reason:
      'not sent: before ZOOKEEPER-4472 (3.9.0) the kind named a table, since then it names a mode',
  },
  {
    name: 'watcher types Persistent and PersistentRecursive',
    reason: 'not sent: ZOOKEEPER-4472 (3.9.0) added them; 3.8 answers MARSHALLINGERROR',
  },
  {
    name: 'single writes that do not decode',
    reason:
      'not sent: both answer MARSHALLINGERROR, but 3.8 gives the failure a zxid and logs it, trunk does not',
  },
  {
    name: 'create flags in a multi that fit no kind of node, or one with a TTL in a create without',
    reason:
      'not sent: since ZOOKEEPER-4026 (3.9.0) such a multi does not decode; before, each operation failed by itself',
  },
  {
    name: 'check outside a multi',
    reason:
      'not sent: 3.8 logs it, never answers and cannot start again; ZOOKEEPER-2623 (3.9.3) answers UNIMPLEMENTED and closes',
  },
  {
    name: 'writes pipelined behind a setACL',
    reason:
      'not sent: Java checks them against the old ACL until the new one is applied, so the answer depends on timing',
  },
  {
    name: 'createTTL with the flags of another kind of node and no ttl',
    reason:
      'not sent: it passes the check and ends the Java server when the transaction is applied',
  },
  {
    name: 'null as the path of sync, getEphemerals and addWatch',
    reason: 'not sent: Java answers OK and echoes or keeps the null; no client can ask that',
  },
  {
    name: 'sasl without a SASL configuration',
    reason: 'not sent: Java answers OK with a null token',
  },
  {
    name: 'deleteContainer and createSession from clients',
    reason: 'not sent: Java takes them without any check; Meerkat refuses them',
  },
];

/** Whether `subject` is what it should be, given what the reference answered. */
export function sameFrame(
  reference: CanonicalFrame,
  subject: CanonicalFrame,
  request: DifferentialRequest | undefined,
  differences: readonly KnownDifference[],
): boolean {
  const expected = JSON.stringify(subject);
  let current = reference;
  if (JSON.stringify(current) === expected) return true;
  for (const { translate } of differences) {
    current = translate?.(current, subject, request) ?? current;
  }
  return JSON.stringify(current) === expected;
}

function translateMulti(
  reference: CanonicalFrame,
  subject: CanonicalFrame,
  request: DifferentialRequest | undefined,
): CanonicalFrame | undefined {
  if (request?.type !== OpCode.multi || !('xid' in reference) || !('xid' in subject))
    return undefined;
  const { body: before } = reference;
  const { body: after } = subject;
  if (!Array.isArray(before) || !Array.isArray(after)) return undefined;
  const results = before.map((result: MultiResult, index) => {
    const other = after[index] as MultiResult | undefined;
    const grown = result.type === OpCode.create && other?.type === OpCode.create2;
    return grown && (other.body as { path?: unknown }).path === result.body ? other : result;
  });
  return { ...reference, body: results };
}

interface MultiResult {
  readonly type: number;
  readonly err: number;
  readonly body: unknown;
}

function isReply(frame: CanonicalFrame, err: number): boolean {
  return 'xid' in frame && frame.err === err;
}
