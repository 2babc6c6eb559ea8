/** One frame in a fixture of packages/protocol/src/testdata/golden. */
export interface GoldenFrame {
  readonly step: string;
  readonly from: 'client' | 'server';
  readonly kind: string;
  /** Opcode of the request, or of the request that this replies to. */
  readonly type?: number;
  /** Error code of a reply's header. */
  readonly err?: number;
  /** The whole frame, the four length bytes included. */
  readonly hex: string;
}
