/**
 * Whether a transaction can be applied once it is committed (`SerializeUtils.deserializeTxn`, which a Java follower
 * runs before it logs). Owns the walk over its record; keeps nothing of it.
 *
 * What cannot be read must not reach the log: it would stand there for ever, and no start would get past it.
 */
import { JuteError, JuteReader, OpCode } from '@meerkat/protocol';
import { skipAclVector } from '../requests/acl-wire.ts';
import { transactionBytesMin } from './transaction-bytes.ts';

/** Walks over transactions; one walker is used again and again. */
export class TransactionShape {
  readonly #reader = new JuteReader();

  /**
   * Checks header and record in `bytes[start, end)`. What follows the record, a digest, is not looked at.
   *
   * @throws JuteError when it cannot be read, or is of a type that this version does not know
   */
  check(bytes: Uint8Array, start: number, end: number): void {
    const reader = this.#reader.reset(bytes, start + transactionBytesMin - 4, end);
    const type = reader.readInt() as OpCode;
    if (type === OpCode.multi) this.#skipMulti();
    else this.#skipRecord(type);
  }

  #skipMulti(): void {
    const reader = this.#reader;
    const count = reader.readVectorCount(8);
    for (let i = 0; i < count; i++) {
      const type = reader.readInt() as OpCode;
      const length = Math.max(0, reader.readInt());
      const next = reader.position + length;
      if (length > reader.remaining) throw new JuteError(`Cannot read a part of ${length} bytes`);
      this.#skipRecord(type);
      if (reader.position > next) throw new JuteError(`Cannot read a part of type ${type}`);
      reader.position = next;
    }
  }

  #skipRecord(type: OpCode): void {
    const reader = this.#reader;
    switch (type) {
      case OpCode.setData:
      case OpCode.reconfig:
        reader.skipBuffer();
        reader.skipBuffer();
        reader.readInt();
        return;
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTTL:
        return this.#skipCreate(type);
      case OpCode.delete:
      case OpCode.deleteContainer:
        reader.skipBuffer();
        return;
      case OpCode.setACL:
        reader.skipBuffer();
        skipAclVector(reader);
        reader.readInt();
        return;
      case OpCode.check:
        reader.skipBuffer();
        reader.readInt();
        return;
      case OpCode.error:
      case OpCode.createSession:
        reader.readInt();
        return;
      case OpCode.closeSession:
        return this.#skipPaths();
      default:
        throw new JuteError(`Cannot take a transaction: current type is ${type}`);
    }
  }

  /** The paths of a session's ephemerals, if they are there: twelve bytes may be a digest alone. */
  #skipPaths(): void {
    const reader = this.#reader;
    if (reader.remaining === 0 || reader.remaining === digestBytes) return;
    const count = reader.readVectorCount(4);
    for (let i = 0; i < count; i++) reader.skipBuffer();
  }

  #skipCreate(type: OpCode): void {
    const reader = this.#reader;
    reader.skipBuffer();
    reader.skipBuffer();
    skipAclVector(reader);
    if (type === OpCode.createContainer || type === OpCode.createTTL) reader.readInt();
    else reader.readBoolean();
    if (type === OpCode.createTTL) reader.readLongAsDouble();
  }
}

/** Version and digest behind a record. */
const digestBytes = 12;
