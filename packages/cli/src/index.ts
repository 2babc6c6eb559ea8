export * from './bench/bench-options.ts';
export { Histogram } from './bench/histogram.ts';
export * from './bench/load.ts';
export { LoadConnection } from './bench/load-connection.ts';
export { Recorder } from './bench/recorder.ts';
export { MixSource, type RequestSource, SequenceSource } from './bench/request-source.ts';
export * from './bench/request-template.ts';
