import { ErrorCode, type Id, type JuteReader, readAuthPacket } from '@meerkat/protocol';
import type { ClientConnection } from './client-connection.ts';
import type { ReplicaState } from './replica-state.ts';

/**
 * The hash of the digest scheme, `DigestAuthenticationProvider.digestAlg`: a pure function that the
 * shell hands in, since the engine has no cryptography of its own.
 */
export type DigestHash = (bytes: Uint8Array) => Uint8Array;

/**
 * An auth packet: adds what the client has proved to the connection's identities
 * (`ZooKeeperServer.processPacket`, `DigestAuthenticationProvider.java`).
 *
 * @returns ok, or AUTHFAILED, after which the connection is closed
 */
export function authenticate(
  state: ReplicaState,
  connection: ClientConnection,
  reader: JuteReader,
  hash: DigestHash,
): ErrorCode {
  const packet = readAuthPacket(reader);
  const credentials = packet.auth ?? new Uint8Array(0);
  switch (packet.scheme) {
    case 'digest':
      if (!state.config.digestAuth.enabled) return ErrorCode.authFailed;
      return addDigest(state, connection, credentials, hash);
    case 'ip':
      // The address is known already; claiming it proves nothing and costs nothing.
      return add(state, connection, { scheme: 'ip', id: connection.address });
    default:
      return ErrorCode.authFailed;
  }
}

function addDigest(
  state: ReplicaState,
  connection: ClientConnection,
  credentials: Uint8Array,
  hash: DigestHash,
): ErrorCode {
  const colon = credentials.indexOf(0x3a);
  const user = lenient.decode(colon === -1 ? credentials : credentials.subarray(0, colon));
  const id = `${user}:${base64(hash(credentials))}`;
  if (id === state.config.digestAuth.superDigest) {
    const error = add(state, connection, { scheme: 'super', id: '' });
    if (error !== ErrorCode.ok) return error;
  }
  return add(state, connection, { scheme: 'digest', id });
}

function add(state: ReplicaState, connection: ClientConnection, id: Id): ErrorCode {
  const { authIds } = connection;
  if (authIds.some((known) => known.scheme === id.scheme && known.id === id.id))
    return ErrorCode.ok;
  const { authIdsMax, authIdCharactersMax } = state.limits;
  let characters = id.id.length;
  for (const known of authIds) characters += known.id.length;
  if (authIds.length >= authIdsMax || characters > authIdCharactersMax) return ErrorCode.authFailed;
  connection.authIds = [...authIds, id];
  return ErrorCode.ok;
}

/** As Java's `new String(bytes)`: what is malformed becomes U+FFFD. */
const lenient = new TextDecoder('utf-8');

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function base64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(i, i + 3);
    const bits = (a << 16) | (b << 8) | c;
    const left = bytes.length - i;
    text += alphabet.charAt(bits >> 18) + alphabet.charAt((bits >> 12) & 63);
    text += left > 1 ? alphabet.charAt((bits >> 6) & 63) : '=';
    text += left > 2 ? alphabet.charAt(bits & 63) : '=';
  }
  return text;
}
