import { readFileSync } from 'node:fs';

/**
 * How many seeds each deliberate fault takes to be caught, by name, as docs/proof.md says; 0 for those that no seed
 * meets, only a script.
 */
export function documentedSeeds(): Map<string, number> {
  const page = readFileSync(new URL('../../../../docs/proof.md', import.meta.url), 'utf8');
  const seeds = new Map<string, number>();
  for (const [, name = '', count] of page.matchAll(
    /^\| `([a-z-]+)` \| .* \| (?:(\d+)|none.*script.*) \|$/gm,
  )) {
    seeds.set(name, Number(count ?? 0));
  }
  return seeds;
}
