// `npm start`: installs and builds when needed, then is a standalone server, in this same process
// so that signals and the exit code are the server's own.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildCommandWhenNeeded, installWhenNeeded, root } from './set-up.mjs';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `Cannot start Meerkat: current Node is ${process.versions.node}, it needs 20.19 or newer`,
  );
  process.exit(1);
}

try {
  installWhenNeeded();
  buildCommandWhenNeeded();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

process.chdir(root);
const launcher = join(root, 'packages', 'cli', 'bin', 'meerkat.js');
process.argv = [
  process.execPath,
  launcher,
  'server',
  'conf/standalone.cfg',
  ...process.argv.slice(2),
];
await import(pathToFileURL(launcher).href);
