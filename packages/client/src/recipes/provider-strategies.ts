import type { Random } from '../ports.ts';
import type { ServiceInstance } from './service-instance.ts';

/** What a strategy may ask. */
export interface StrategyContext {
  readonly random: Random;
  /** How many calls of this provider to an instance are under way. */
  readonly loadOf: (instance: ServiceInstance) => number;
}

/**
 * Chooses one of several instances.
 *
 * Guarantee: none but its choice; which instances are fit to be chosen is settled before. A strategy may keep state, and
 * then belongs to one provider.
 */
export interface ProviderStrategy {
  /** @param instances at least one, in the order of their ids */
  pick(instances: readonly ServiceInstance[], context: StrategyContext): ServiceInstance;
}

/** One after the other. Curator's default, and ours. */
export function roundRobin(): ProviderStrategy {
  let next = 0;
  return {
    pick: (instances) => {
      next %= instances.length;
      return instances[next++] as ServiceInstance;
    },
  };
}

/** Any of them. */
export function randomInstance(): ProviderStrategy {
  return {
    pick: (instances, { random }) => instances[random.below(instances.length)] as ServiceInstance,
  };
}

/** Any of them, those of weight 2 twice as often as those of weight 1. When all weigh nothing, any. */
export function weightedRandom(): ProviderStrategy {
  const any = randomInstance();
  return {
    pick: (instances, context) => {
      const total = instances.reduce((sum, { weight }) => sum + weight, 0);
      let left = (context.random.below(fineness) / fineness) * total;
      for (const instance of instances) {
        left -= instance.weight;
        if (left < 0) return instance;
      }
      return any.pick(instances, context);
    },
  };
}

/** The same as long as it is there; then one that `first` chooses. */
export function sticky(first: ProviderStrategy = roundRobin()): ProviderStrategy {
  let id: string | null = null;
  return {
    pick: (instances, context) => {
      const kept = instances.find((instance) => instance.id === id);
      const picked = kept ?? first.pick(instances, context);
      id = picked.id;
      return picked;
    },
  };
}

/**
 * That with the fewest calls under way for its weight, any of those that are equal. It knows of the calls that go through
 * `ServiceProvider.use` of this process only.
 */
export function leastLoaded(): ProviderStrategy {
  const any = randomInstance();
  return {
    pick: (instances, context) => {
      const load = (instance: ServiceInstance): number =>
        (context.loadOf(instance) + 1) / Math.max(instance.weight, Number.MIN_VALUE);
      const least = Math.min(...instances.map(load));
      return any.pick(
        instances.filter((instance) => load(instance) === least),
        context,
      );
    },
  };
}

/** Into so many steps a random share is cut. */
const fineness = 2 ** 32;
