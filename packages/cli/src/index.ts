export * from './bench/bench-options.ts';
export { Histogram } from './bench/histogram.ts';
export * from './bench/load.ts';
export { LoadConnection } from './bench/load-connection.ts';
