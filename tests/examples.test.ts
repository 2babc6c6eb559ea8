import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chdir } from 'node:process';
import { test } from 'node:test';
import { compileExamples } from './examples/compile-examples.ts';
import { blocksOfDocument, blocksOfPackage, blocksOfTables } from './examples/example-blocks.ts';
import { runExample } from './examples/run-example.ts';
import { repositoryRoot, temporaryDirectory } from './peers/support/paths.ts';

/* The examples of the documents and of the doc comments compile, and do what they say. */

const blocks = [
  ...blocksOfDocument('docs/guide.md'),
  ...blocksOfDocument('docs/testing.md'),
  ...blocksOfDocument('docs/coming-from.md'),
  ...blocksOfTables('docs/coming-from.md'),
  ...blocksOfDocument('packages/client/README.md'),
  ...blocksOfPackage('client'),
  ...blocksOfPackage('testing'),
];
const { examples, problems, undeclared } = compileExamples('examples-of-the-documents', blocks);
// Some of them write files.
chdir(temporaryDirectory('examples'));

test('the examples compile', () => {
  assert.equal(problems, '');
  assert.ok(blocks.length > 40);
});

test('what docs/coming-from.md says of node-zookeeper-client is there', () => {
  const page = readFileSync(join(repositoryRoot, 'docs/coming-from.md'), 'utf8');
  const zookeeper = createRequire(import.meta.url)('node-zookeeper-client') as {
    createClient(servers: string): Record<string, unknown>;
  };
  const client = zookeeper.createClient('127.0.0.1:2181');
  const names = [...page.matchAll(/`client\.(\w+)\(/g)].map(([, name = '']) => name);
  assert.ok(names.length > 15);
  for (const name of names) assert.equal(typeof client[name], 'function', name);
});

for (const example of examples.filter(({ isRun }) => isRun)) {
  test(`the example at ${example.where} runs`, { timeout: 20_000 }, async () => {
    const { end, error, output } = await runExample(example, undeclared);
    if (end === 'failed') throw error;
    if (!example.isEndless) assert.equal(end, 'ended');
    if (example.output !== null) assert.equal(output, example.output);
  });
}
