#!/usr/bin/env node
// Checked in as JavaScript so that npm can link the command before the first build.
import { existsSync } from 'node:fs';

// npx puts a shell between itself and this process. A signal to npx ends that shell and goes no
// further, so the end of the shell is taken for the signal.
if (process.env.npm_lifecycle_event === 'npx') {
  const shell = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 100);
  watch.unref();
}

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  console.error('Cannot start meerkat: packages/cli is not built. Run: npm run build');
  process.exitCode = 1;
}
