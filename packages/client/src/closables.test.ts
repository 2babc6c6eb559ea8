import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as client from './index.ts';
import * as recipes from './recipes/index.ts';

test('whatever is closed or released is closed by await using too', () => {
  const closables: string[] = [];
  for (const [name, exported] of Object.entries({ ...client, ...recipes })) {
    const prototype: unknown = typeof exported === 'function' ? exported.prototype : undefined;
    if (typeof prototype !== 'object' || prototype === null) continue;
    if (!('close' in prototype) && !('release' in prototype)) continue;
    closables.push(name);
    assert.ok(Symbol.asyncDispose in prototype, `${name} has no Symbol.asyncDispose`);
  }
  assert.ok(closables.length > 10, closables.join());
});
