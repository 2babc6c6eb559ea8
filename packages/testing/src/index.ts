/**
 * ZooKeeper for tests. `TestEnsemble.start` is where to begin.
 */
export type { TestClientOptions, TestEnsembleOptions } from './options.ts';
export type { PartitionGroup } from './partition.ts';
export { TestEnsemble, type TestSession } from './test-ensemble.ts';
export type { TestMember, TestMemberRole, TestMemberState } from './test-member.ts';
