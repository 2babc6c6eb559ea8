import { readFileSync } from 'node:fs';

/** A frame that went between a real client and a real Java server. */
export interface GoldenFrame {
  readonly step: string;
  readonly from: 'client' | 'server';
  readonly kind: string;
  /** Opcode of the request, or of the request that this replies to. */
  readonly type?: number;
  /** Error code of a reply's header. */
  readonly err?: number;
  /** The whole frame, the four length bytes included; empty where the server closed the connection. */
  readonly hex: string;
}

/** Who spoke: the Java client, kazoo, or frames written by hand that no client sends. */
export type GoldenName = 'java-client' | 'kazoo' | 'hand-made';

/** The frames of a capture, in the order in which they were seen. */
export function goldenFrames(name: GoldenName): readonly GoldenFrame[] {
  const file = new URL(`../../src/testdata/golden/${name}.json`, import.meta.url);
  const capture = JSON.parse(readFileSync(file, 'utf8')) as { frames: readonly GoldenFrame[] };
  return capture.frames;
}

/** The bytes of a frame without its length. */
export function frameBody(frame: GoldenFrame): Uint8Array {
  return Uint8Array.from(Buffer.from(frame.hex, 'hex').subarray(4));
}
