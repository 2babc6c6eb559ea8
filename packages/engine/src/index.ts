export * from './limits.ts';
export * from './ports.ts';
export * from './replica-config.ts';
export * from './storage/index.ts';
