import { BarrierScenario, DoubleBarrierScenario } from './barrier-scenarios.ts';
import { CacheScenario } from './cache-scenario.ts';
import { ConfigScenario } from './config-scenario.ts';
import { DiscoveryScenario } from './discovery-scenario.ts';
import { LatchScenario, SelectorScenario } from './election-scenarios.ts';
import { IdSequenceScenario, SnowflakeScenario, WorkerIdScenario } from './id-scenarios.ts';
import {
  MultiLockScenario,
  MutexScenario,
  ReadWriteLockScenario,
  SemaphoreScenario,
} from './lock-scenarios.ts';
import { GroupScenario, PersistentNodeScenario } from './presence-scenarios.ts';
import {
  DelayQueueScenario,
  PriorityQueueScenario,
  SimpleQueueScenario,
  WorkQueueScenario,
} from './queue-scenarios.ts';
import type { ScenarioMaker } from './recipe-simulation.ts';
import { TransactionScenario } from './transaction-scenario.ts';
import { AtomicValueScenario, CounterScenario, SharedValueScenario } from './value-scenarios.ts';

/** All scenarios by name. A run over many seeds takes them in turn. */
export const recipeScenarios: Readonly<Record<string, ScenarioMaker>> = {
  mutex: (host) => new MutexScenario(host),
  cache: (host) => new CacheScenario(host),
  latch: (host) => new LatchScenario(host),
  'work-queue': (host) => new WorkQueueScenario(host),
  'read-write-lock': (host) => new ReadWriteLockScenario(host),
  semaphore: (host) => new SemaphoreScenario(host),
  selector: (host) => new SelectorScenario(host),
  'simple-queue': (host) => new SimpleQueueScenario(host),
  'priority-queue': (host) => new PriorityQueueScenario(host),
  counter: (host) => new CounterScenario(host),
  'atomic-value': (host) => new AtomicValueScenario(host),
  'shared-value': (host) => new SharedValueScenario(host),
  'id-sequence': (host) => new IdSequenceScenario(host),
  snowflake: (host) => new SnowflakeScenario(host),
  'worker-id': (host) => new WorkerIdScenario(host),
  transaction: (host) => new TransactionScenario(host),
  'multi-lock': (host) => new MultiLockScenario(host),
  'delay-queue': (host) => new DelayQueueScenario(host),
  barrier: (host) => new BarrierScenario(host),
  'double-barrier': (host) => new DoubleBarrierScenario(host),
  group: (host) => new GroupScenario(host),
  'persistent-node': (host) => new PersistentNodeScenario(host),
  discovery: (host) => new DiscoveryScenario(host),
  config: (host) => new ConfigScenario(host),
};

/** Which scenario a seed runs when none is chosen. */
export function scenarioOf(seed: number): string {
  const names = Object.keys(recipeScenarios);
  return names[seed % names.length] as string;
}
