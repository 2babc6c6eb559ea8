import { Command, InvalidArgumentError, Option } from 'commander';
import type { TestServerOptions } from './run-test-server.ts';

const help = `
Prints one line of JSON on stdout when it serves:

  {"connectString":"127.0.0.1:40001","controlUrl":"http://127.0.0.1:40002","pid":4711,"members":[...]}

and ends when its standard input ends (if that is a pipe), when its parent ends, with POST /stop, or with
SIGTERM. It is controlled over HTTP, with JSON: GET /status, and POST of

  /expire-session {"session":"0x10000abcd0000"}    /pause {"member":0}    /resume {"member":0}
  /partition {"groups":[[0],["clients"]]}          /kill {"member":0}     /restart {"member":0}
  /heal {}                                         /disconnect-clients {"member":0}
  /advance-time {"ms":60000}                       /ready {}               /stop {}

/ready waits until every running member serves. Every answer is the status afterwards, or {"error":"Cannot ..."}.

Example:
  meerkat test-server --session-timeout 500..60000
  curl -d '{"ms":60000}' http://127.0.0.1:40002/advance-time
`;

/** The options as commander hands them over. */
interface ParsedOptions {
  readonly members: number;
  readonly storage: 'memory' | 'directory';
  readonly clock: 'real' | 'manual';
  readonly tickTime: number;
  readonly sessionTimeout?: { readonly minMs: number; readonly maxMs: number };
  readonly controlPort: number;
  readonly parent?: number;
}

/** `meerkat test-server`: the test kit for programs in any language. */
export function testServerCommand(): Command {
  return new Command('test-server')
    .description('Run a server for tests, in memory, controlled over HTTP, ending with its parent')
    .option('--members <count>', 'members of the ensemble', integer(1), 1)
    .addOption(
      new Option('--storage <where>', 'where data lies: gone at the end in both cases')
        .choices(['memory', 'directory'])
        .default('memory'),
    )
    .addOption(
      new Option('--clock <clock>', 'real, or manual: time goes on only with /advance-time')
        .choices(['real', 'manual'])
        .default('real'),
    )
    .option('--tick-time <ms>', 'as in zoo.cfg', integer(1), 2000)
    .option('--session-timeout <min..max>', 'granted, ms; by default 2 ticks to 60000', range)
    .option('--control-port <port>', 'for HTTP; by default a free one', integer(0), 0)
    .option('--parent <pid>', 'ends with this process, too', integer(1))
    .addHelpText('after', help)
    .action(async (parsed: ParsedOptions) => {
      const { runTestServer } = await import('./run-test-server.ts');
      // At once: a parent that was killed may leave something open that an orderly end would wait for.
      process.exit(await runTestServer(optionsOf(parsed)));
    });
}

function optionsOf(parsed: ParsedOptions): TestServerOptions {
  const { members, storage, clock, tickTime, sessionTimeout, controlPort, parent } = parsed;
  return {
    ensemble: {
      members,
      storage,
      clock,
      tickTimeMs: tickTime,
      ...(sessionTimeout === undefined
        ? {}
        : {
            minSessionTimeoutMs: sessionTimeout.minMs,
            maxSessionTimeoutMs: sessionTimeout.maxMs,
          }),
    },
    controlPort,
    parentPid: parent ?? null,
  };
}

function integer(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= 0x7fffffff) return value;
    throw new InvalidArgumentError(`It must be a whole number, at least ${least}.`);
  };
}

function range(text: string): NonNullable<ParsedOptions['sessionTimeout']> {
  const [, min, max] = /^(\d+)\.\.(\d+)$/.exec(text) ?? [];
  const [minMs, maxMs] = [Number(min), Number(max)];
  if (minMs >= 1 && minMs <= maxMs && maxMs <= 0x7fffffff) return { minMs, maxMs };
  throw new InvalidArgumentError('It must be two numbers of ms: 500..60000.');
}
