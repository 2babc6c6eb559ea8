import type { Mutant } from './mutant.ts';

/** Deliberate faults of recipes, each of which the simulation of its recipe has to catch. Done as those of `mutants`. */
export const recipeMutants: readonly Mutant[] = [
  {
    name: 'cache-reads-once',
    fault: 'a cache does not read again what changed while it was read',
    package: 'client',
    file: 'recipes/cached-znodes.js',
    find: 'if (this.#wanted.has(path))\n            this.#queue.push(path);',
    replace: 'this.#wanted.delete(path);',
    recipe: 'cache',
  },
  {
    name: 'cache-replaced-unlisted',
    fault: 'the children of a znode that another has taken the place of are not watched',
    package: 'client',
    file: 'recipes/cached-znodes.js',
    find: "list || (isNew && method === 'oneShot')",
    replace: 'list',
    recipe: 'cache',
  },
  {
    name: 'cache-snapshot-early',
    fault: 'a snapshot does not wait until the cache is in step',
    package: 'client',
    file: 'recipes/caches.js',
    find: 'await this.whenInStep(signal);\n            for (',
    replace: 'for (',
    recipe: 'cache',
  },
  {
    name: 'cache-drops-silently',
    fault: 'changes that are dropped for a slow reader are not said to be missed',
    package: 'client',
    file: 'recipes/event-queue.js',
    find: 'this.#events = [this.#missed];',
    replace: 'this.#events = [];',
    recipe: 'cache',
  },
];
