/**
 * Recipes: what processes that share a ZooKeeper need again and again, from locks to caches. Each works with any server,
 * and shares its znodes with the recipe of the same name in Apache Curator. `docs/recipes.md` starts from the task.
 */

export { AtomicInteger, AtomicLong } from './atomic-numbers.ts';
export { type AtomicOptions, AtomicValue, type Updated, unchanged } from './atomic-value.ts';
export { Barrier, type BarrierOptions } from './barrier.ts';
export type { CacheChange, CachedNode, WatchMethod } from './cached-znodes.ts';
export type {
  CacheSnapshot,
  ChangesOptions,
  ZnodeCache,
} from './caches.ts';
export { ChildrenCache } from './children-cache.ts';
export { ConfigCenter, type ConfigOptions, type ConfigSetOptions } from './config-center.ts';
export type { FallbackStore } from './config-fallback.ts';
export type { ConfigVersion } from './config-history.ts';
export type {
  ConfigInputs,
  ConfigKey,
  ConfigKeys,
  ConfigSnapshot,
  ConfigValues,
} from './config-keys.ts';
export { DoubleBarrier, type DoubleBarrierOptions } from './double-barrier.ts';
export * from './errors.ts';
export { GroupMember, type GroupOptions } from './group-member.ts';
export type { Acquirable, Held } from './hold.ts';
export { IdSequence, type IdSequenceOptions } from './id-sequence.ts';
export {
  type Candidate,
  type ElectionOptions,
  type LeaderChange,
  LeaderLatch,
} from './leader-latch.ts';
export { type LeaderJob, LeaderSelector } from './leader-selector.ts';
export { type HeldTogether, MultiLock } from './multi-lock.ts';
export { Mutex, type MutexOptions } from './mutex.ts';
export { type BindOptions, type BoundName, type NameBinding, NameTree } from './name-tree.ts';
export { NodeCache } from './node-cache.ts';
export type { LockOptions, OrderedLock, Participant } from './ordered-lock.ts';
export { type CreateParentsOptions, createParents } from './parents.ts';
export { PersistentNode, type PersistentNodeOptions } from './persistent-node.ts';
export {
  createProtected,
  deleteSurely,
  type ProtectedCreateOptions,
} from './protective-create.ts';
export {
  leastLoaded,
  type ProviderStrategy,
  randomInstance,
  roundRobin,
  type StrategyContext,
  sticky,
  weightedRandom,
} from './provider-strategies.ts';
export { type HeldWrite, ReadWriteLock } from './read-write-lock.ts';
export { type ReentrantAcquireOptions, ReentrantMutex } from './reentrant-mutex.ts';
export { Semaphore, type SemaphoreOptions } from './semaphore.ts';
export { ServiceCache, serviceNames } from './service-cache.ts';
export {
  type ServiceDescription,
  type ServiceInstance,
  type ServiceType,
  uriOf,
} from './service-instance.ts';
export {
  type DownPolicy,
  ServiceProvider,
  type ServiceProviderOptions,
} from './service-provider.ts';
export {
  type HealthOptions,
  type RegistrationOptions,
  ServiceRegistration,
} from './service-registration.ts';
export { SharedCount } from './shared-count.ts';
export { type SharedOptions, SharedValue, type Versioned } from './shared-value.ts';
export { SimpleQueue, type SimpleQueueOptions } from './simple-queue.ts';
export { SnowflakeIds, type SnowflakeOptions } from './snowflake-ids.ts';
export type { StandardIssue, StandardResult, StandardSchema } from './standard-schema.ts';
export type { LostWhen } from './tenure.ts';
export {
  type CoordinatorOptions,
  TransactionCoordinator,
  type TransactionRequest,
} from './transaction-coordinator.ts';
export {
  type ParticipantOptions,
  type TransactionHandlers,
  TransactionParticipant,
} from './transaction-participant.ts';
export type { Transaction, TransactionOutcome } from './transaction-record.ts';
export { TreeCache, type TreeCacheOptions } from './tree-cache.ts';
export type { WaitOptions } from './waiting.ts';
export {
  DelayQueue,
  type DelayQueueOptions,
  PriorityQueue,
  type Work,
  WorkQueue,
  type WorkQueueOptions,
  type WorkSource,
} from './work-queue.ts';
export { WorkerId, type WorkerIdOptions } from './worker-id.ts';
