import { ErrorCode, type JuteReader, JuteWriter, OpCode } from '@meerkat/protocol';
import { ProtocolError } from '../errors.ts';
import type { Random, Stream } from '../ports.ts';
import { DigestMd5, type SaslCredential, SaslError } from './digest-md5.ts';

/**
 * Authentication by SASL on a new connection, ahead of everything else: an empty token, and then answers to
 * what the server sends, as requests of type 102 (`ZooKeeperSaslClient.java`).
 */
export class SaslExchange {
  readonly #mechanism: DigestMd5;
  readonly #stream: Stream;
  #xid = 0;

  constructor(credential: SaslCredential, random: Random, stream: Stream) {
    this.#mechanism = new DigestMd5(credential, random);
    this.#stream = stream;
    this.#send(new Uint8Array(0));
  }

  /**
   * A reply has arrived. True when that was the last.
   *
   * @throws SaslError when the authentication failed, ProtocolError | JuteError when the reply is none
   */
  onReply(reader: JuteReader): boolean {
    const xid = reader.readInt();
    reader.readLongAsDouble();
    const code = reader.readInt();
    if (xid !== this.#xid) {
      throw new ProtocolError(
        `Cannot authenticate: current xid is ${xid}, and the next must be ${this.#xid}`,
      );
    }
    if (code === ErrorCode.authFailed || code === ErrorCode.sessionClosedRequireSaslAuth)
      throw new SaslError('the server refused the user name or the password');
    if (code !== ErrorCode.ok)
      throw new ProtocolError(`Cannot authenticate: current answer is code ${code}`);
    const answer = this.#mechanism.step(reader.readBuffer() ?? new Uint8Array(0));
    if (answer === null) return true;
    this.#send(answer);
    return false;
  }

  #send(token: Uint8Array): void {
    this.#xid += 1;
    const writer = new JuteWriter(token.length + 16);
    const start = writer.beginFrame();
    writer.writeInt(this.#xid);
    writer.writeInt(OpCode.sasl);
    writer.writeBuffer(token);
    writer.endFrame(start);
    this.#stream.write(writer.toBytes());
  }
}
