import { connect } from 'node:net';
import type { GoldenFrame } from './support/golden-frame.ts';

/** A frame to send: hexadecimal digits without the length, blanks allowed. */
interface HandMade {
  readonly step: string;
  readonly request: string;
  readonly type: number;
}

const newSession =
  '00000000 0000000000000000 00001770 0000000000000000 00000010 00000000000000000000000000000000';
const golden = '00000007 2f676f6c64656e';

const createSession = -10;

/** Each is sent in a session of its own, since most of them end it. */
const requests: readonly HandMade[] = [
  { step: 'check outside a multi', type: 13, request: `00000001 0000000d ${golden} ffffffff` },
  { step: 'unknown opcode', type: 77, request: '00000001 0000004d' },
  { step: 'notification as a request', type: 0, request: '00000001 00000000' },
  {
    step: 'deleteContainer of an absent node from a client',
    type: 20,
    request: '00000001 00000014 00000007 2f616273656e74',
  },
  {
    step: 'createSession from a client',
    type: createSession,
    request: '00000001 fffffff6 00001770',
  },
  { step: 'getData without a record', type: 4, request: '00000001 00000004' },
  { step: 'getData with a negative length', type: 4, request: '00000001 00000004 fffffffe 00' },
  {
    step: 'getData with a length past the end',
    type: 4,
    request: '00000001 00000004 000000ff 2f 00',
  },
  { step: 'getData of a null path', type: 4, request: '00000001 00000004 ffffffff 00' },
  { step: 'setData without a record', type: 5, request: '00000001 00000005' },
  { step: 'create without a record', type: 1, request: '00000001 00000001' },
  {
    step: 'create with unknown flags',
    type: 1,
    request:
      '00000001 00000001 00000002 2f78 ffffffff 00000001 0000001f 00000005 776f726c64 00000006 616e796f6e65 00000063',
  },
  {
    step: 'create with an invalid path',
    type: 1,
    request:
      '00000001 00000001 00000003 2f782f ffffffff 00000001 0000001f 00000005 776f726c64 00000006 616e796f6e65 00000000',
  },
  {
    step: 'create with a null ACL',
    type: 1,
    request: '00000001 00000001 00000002 2f78 ffffffff ffffffff 00000000',
  },
  { step: 'multi without a terminator', type: 14, request: '00000001 0000000e' },
  {
    step: 'multi mixing reads and writes',
    type: 14,
    request: `00000001 0000000e 00000004 00 ffffffff ${golden} 00 0000000d 00 ffffffff ${golden} ffffffff ffffffff 01 ffffffff`,
  },
  {
    step: 'addWatch with an unknown mode',
    type: 106,
    request: `00000001 0000006a ${golden} 00000007`,
  },
  {
    step: 'auth with an unknown scheme',
    type: 100,
    request: 'fffffffc 00000064 00000000 00000008 6e6f6e73656e7365 00000001 78',
  },
  { step: 'sasl without SASL configured', type: 102, request: '00000001 00000066 00000000' },
  { step: 'closeSession', type: -11, request: '00000001 fffffff5' },
];

const handshakes: readonly { readonly step: string; readonly request: string }[] = [
  { step: 'connect without the readOnly flag', request: newSession },
  { step: 'connect with the readOnly flag', request: `${newSession} 00` },
  { step: 'connect with readOnly set', request: `${newSession} 01` },
  {
    step: 'connect with a null password',
    request: '00000000 0000000000000000 00001770 0000000000000000 ffffffff 00',
  },
  {
    step: 'connect with a timeout of 1 ms',
    request:
      '00000000 0000000000000000 00000001 0000000000000000 00000010 00000000000000000000000000000000 00',
  },
  {
    step: 'renew an unknown session',
    request:
      '00000000 0000000000000000 00001770 0123456789abcdef 00000010 00112233445566778899aabbccddeeff 00',
  },
  {
    step: 'connect from the future',
    request:
      '00000000 7fffffffffffffff 00001770 0000000000000000 00000010 00000000000000000000000000000000 00',
  },
];

/** Sends every hand-made frame and notes what comes back until the server closes or falls silent. */
export async function handMadeExchanges(port: number): Promise<GoldenFrame[]> {
  const frames: GoldenFrame[] = [];
  for (const { step, request } of handshakes) {
    const bytes = framed(request);
    const answer = await exchange(port, [bytes]);
    frames.push({ step, from: 'client', kind: 'connectRequest', hex: bytes.toString('hex') });
    for (const reply of answer.frames) {
      frames.push({ step, from: 'server', kind: 'connectResponse', hex: reply.toString('hex') });
    }
    if (answer.closed) frames.push({ step, from: 'server', kind: 'close', hex: '' });
  }
  for (const { step, request, type } of requests) {
    const bytes = framed(request);
    const answer = await exchange(port, [framed(`${newSession} 00`), bytes]);
    frames.push({ step, from: 'client', kind: 'request', type, hex: bytes.toString('hex') });
    for (const reply of answer.frames.slice(1)) {
      // Java answers a client's createSession as if it were a handshake.
      if (type === createSession) {
        frames.push({ step, from: 'server', kind: 'connectResponse', hex: reply.toString('hex') });
        continue;
      }
      const err = reply.readInt32BE(16);
      frames.push({ step, from: 'server', kind: 'reply', type, err, hex: reply.toString('hex') });
    }
    if (answer.closed) frames.push({ step, from: 'server', kind: 'close', hex: '' });
  }
  return frames;
}

function framed(digits: string): Buffer {
  const body = Buffer.from(digits.replaceAll(' ', ''), 'hex');
  const frame = Buffer.alloc(4 + body.length);
  frame.writeInt32BE(body.length, 0);
  body.copy(frame, 4);
  return frame;
}

interface Exchange {
  readonly frames: readonly Buffer[];
  /** Whether the server closed the connection by itself. */
  readonly closed: boolean;
}

function exchange(port: number, sent: readonly Buffer[]): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0);
    let closed = true;
    const socket = connect(port, '127.0.0.1', () => socket.write(sent[0] ?? Buffer.alloc(0)));
    let next = 1;
    socket.setTimeout(1_000, () => {
      closed = false;
      socket.destroy();
    });
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const request = sent[next++];
      if (request !== undefined) socket.write(request);
    });
    socket.once('error', reject);
    socket.once('close', () => {
      const frames: Buffer[] = [];
      for (let at = 0; at + 4 <= received.length; ) {
        const end = at + 4 + received.readInt32BE(at);
        frames.push(received.subarray(at, end));
        at = end;
      }
      resolve({ frames, closed });
    });
  });
}
