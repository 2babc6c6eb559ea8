// `npm run example -- <name>`, and `npm start` in the folder of an example: installs and builds when needed, then runs it
// in this same process.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { installWhenNeeded, root, runTool } from './set-up.mjs';

const examples = join(root, 'examples');
const [name = ''] = process.argv.slice(2);
const known = readdirSync(examples).filter((entry) =>
  existsSync(join(examples, entry, 'package.json')),
);

if (!known.includes(name)) {
  console.error(`Cannot run the example ${name || '(none)'}: there are ${known.join(', ')}`);
  process.exit(1);
}
installWhenNeeded();
if (runTool('tsc', ['-b', 'examples']) !== 0) process.exit(1);
await import(pathToFileURL(join(examples, 'dist', name, 'main.js')).href);
