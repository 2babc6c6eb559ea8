// The start of the `meerkat` command. `server` answers its first request as soon as it can, so it
// is started without loading anything that only other commands need.
const { runProgram } = await import('./program.ts');
await runProgram(process.argv);
