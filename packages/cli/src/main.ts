// The start of the `meerkat` command. A server is to answer its first request soon after node has
// started, so the plain way to one loads nothing that only other commands and options need.
const [command, ...args] = process.argv.slice(2);
if (command === 'server' && args.every((arg) => !arg.startsWith('-'))) {
  const { importServer } = await import('./server-module.ts');
  const { runServer } = await importServer();
  process.exit(await runServer(args));
}
const { runProgram } = await import('./program.ts');
await runProgram(process.argv);
