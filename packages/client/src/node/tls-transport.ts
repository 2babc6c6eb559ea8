import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { HostPort, Stream, StreamHandler, Transport } from '../ports.ts';
import { SocketStream } from './socket-stream.ts';
import { secureContextOf, type TlsOptions, validateTls } from './tls-options.ts';

/**
 * Dials servers over TLS. The stream opens when the server's certificate has been accepted; that it has accepted ours,
 * when it asks for one, shows with its first bytes.
 *
 * @throws BadArgumentsError when the options contradict each other
 */
export function tlsTransport(options: TlsOptions): Transport {
  validateTls(options);
  return { dial: (server, handler) => dial(server, handler, options) };
}

function dial(server: HostPort, handler: StreamHandler, options: TlsOptions): Stream {
  const stream = new SocketStream(handler);
  secureContextOf(options)
    .then((secureContext) => {
      if (stream.isClosed) return;
      const { host, port } = server;
      // An address is no name to send; the certificate is held against it all the same.
      const servername = options.servername ?? (isIP(host) === 0 ? host : '');
      const identity = options.hostnameVerification === false ? { checkServerIdentity } : {};
      const settings = { host, port, servername, secureContext, ...identity };
      stream.use(secured(connect(settings)), 'secureConnect');
    })
    .catch((error: unknown) => stream.fail(error as Error));
  return stream;
}

function secured(socket: TLSSocket): TLSSocket {
  socket.setNoDelay(true);
  return socket;
}

/** Any name will do. */
function checkServerIdentity(): undefined {
  return undefined;
}
