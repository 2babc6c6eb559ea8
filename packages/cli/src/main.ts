// The start of the `meerkat` command. `server` answers its first request as soon as it can, so it
// is started without loading anything that only other commands need.
const [, , command, ...args] = process.argv;
if (command === 'server' && !args.includes('--help') && !args.includes('-h')) {
  const { runServerCommand } = await import('./server-command.ts');
  process.exitCode = await runServerCommand(args);
  process.exit();
} else {
  const { runProgram } = await import('./program.ts');
  await runProgram(process.argv);
}
