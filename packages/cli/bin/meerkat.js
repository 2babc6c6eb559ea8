#!/usr/bin/env node
// Checked in as JavaScript so that npm can link the command before the first build.
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  console.error('Cannot start meerkat: packages/cli is not built. Run: npm run build');
  process.exitCode = 1;
}
