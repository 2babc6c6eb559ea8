import assert from 'node:assert/strict';
import { chdir } from 'node:process';
import { test } from 'node:test';
import { compileExamples } from './examples/compile-examples.ts';
import { blocksOfDocument, blocksOfPackage } from './examples/example-blocks.ts';
import { runExample } from './examples/run-example.ts';
import { temporaryDirectory } from './peers/support/paths.ts';

/* The examples of the documents and of the doc comments compile, and do what they say. */

const blocks = [
  ...blocksOfDocument('docs/guide.md'),
  ...blocksOfDocument('docs/testing.md'),
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

for (const example of examples.filter(({ isRun }) => isRun)) {
  test(`the example at ${example.where} runs`, { timeout: 20_000 }, async () => {
    const { end, error, output } = await runExample(example, undeclared);
    if (end === 'failed') throw error;
    if (!example.isEndless) assert.equal(end, 'ended');
    if (example.output !== null) assert.equal(output, example.output);
  });
}
