export * from './acl.ts';
export { assert, assertNever, InvariantError } from './assert.ts';
export * from './connect.ts';
export * from './errors.ts';
export { FrameDecoder, type FrameReceiver } from './frame-decoder.ts';
export * from './ids.ts';
export { JuteError } from './jute/jute-error.ts';
export { JuteReader } from './jute/jute-reader.ts';
export { JuteWriter } from './jute/jute-writer.ts';
export {
  decodeUtf8,
  encodeUtf8,
  malformedUtf8At,
  utf8,
  utf8Bytes,
  utf8SequenceBytes,
} from './jute/utf8.ts';
export * from './opcodes.ts';
export * from './paths.ts';
export * from './records/generated.ts';
export { generateRecords } from './records/generator.ts';
export { schema } from './records/schema.ts';
