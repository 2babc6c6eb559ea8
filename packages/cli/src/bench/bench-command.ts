import { Command, InvalidArgumentError, Option } from 'commander';
import { type BenchOptions, parseHosts, parseMix } from './bench-options.ts';
import { runLoad } from './load.ts';
import { formatProgress, formatResult } from './report.ts';

const examples = `
The mix is one of get, exists, set, create, children, multi; mixN for N % get and the rest
set; or weights, such as get:80,set:15,create:5.

Every connection keeps the same number of requests in flight and sends the next one when
an answer has come: a server that stalls is asked less, so compare latencies at equal load.

Examples:
  meerkat bench                                  reads, one at a time, 50 connections
  meerkat bench --mix set --depth 50             pipelined durable writes
  meerkat bench --server a:2181,b:2181 --mix mix90 --json
`;

/** The options as commander hands them over. */
interface ParsedOptions {
  readonly server: BenchOptions['hosts'];
  readonly mix: BenchOptions['mix'];
  readonly connections: number;
  readonly depth: number;
  readonly size: number;
  readonly keys: number;
  readonly duration: number;
  readonly warmUp: number;
  readonly root: string;
  readonly multiSize: number;
  readonly sessionTimeout: number;
  readonly keep?: boolean;
  readonly json?: boolean;
}

/** `meerkat bench`: puts load on any ZooKeeper server and reports throughput and latencies. */
export function benchCommand(): Command {
  return new Command('bench')
    .description('Measure any ZooKeeper server: throughput and latencies under load')
    .addOption(
      new Option('-s, --server <host:port,...>', 'servers; the connections are spread over them')
        .argParser(accept(parseHosts))
        .default(parseHosts('localhost:2181'), 'localhost:2181'),
    )
    .addOption(
      new Option('-m, --mix <mix>', 'operations')
        .argParser(accept(parseMix))
        .default(parseMix('get'), 'get'),
    )
    .option('-c, --connections <count>', 'connections, a session each', integer(1, 100_000), 50)
    .option('-d, --depth <count>', 'requests in flight per connection', integer(1, 100_000), 1)
    .option('-b, --size <bytes>', 'length of the values', integer(0, 1_000_000), 100)
    .option('-k, --keys <count>', 'znodes to work on', integer(1, 100_000_000), 1000)
    .option('-t, --duration <seconds>', 'how long to measure', seconds, 10)
    .option('-w, --warm-up <seconds>', 'load before that, not measured', seconds, 2)
    .option('--root <path>', 'znode to work under', znodePath, '/meerkat-bench')
    .option('--multi-size <count>', 'writes in one multi', integer(1, 10_000), 10)
    .option('--session-timeout <ms>', 'asked of the server', integer(1, 2 ** 31 - 1), 30_000)
    .option('--keep', 'leave the znodes there afterwards')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', examples)
    .action(runBench);
}

async function runBench(parsed: ParsedOptions): Promise<void> {
  const stop = new AbortController();
  // A second Ctrl-C ends the process in the usual way.
  process.once('SIGINT', () => stop.abort());
  const isTerminal = process.stderr.isTTY === true;
  const eraseLine = '\r\u001b[K';
  try {
    const result = await runLoad(benchOptions(parsed), {
      signal: stop.signal,
      onProgress: (progress) => {
        if (isTerminal) process.stderr.write(`${eraseLine}${formatProgress(progress)}`);
      },
    });
    if (isTerminal) process.stderr.write(eraseLine);
    process.stdout.write(
      parsed.json === true ? `${JSON.stringify(result, null, 2)}\n` : formatResult(result),
    );
    if (result.operations === 0) process.exitCode = 1;
  } catch (error) {
    if (isTerminal) process.stderr.write(eraseLine);
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

function benchOptions(parsed: ParsedOptions): BenchOptions {
  return {
    hosts: parsed.server,
    mix: parsed.mix,
    connections: parsed.connections,
    depth: parsed.depth,
    payloadBytes: parsed.size,
    keys: parsed.keys,
    durationMs: parsed.duration * 1000,
    warmUpMs: parsed.warmUp * 1000,
    root: parsed.root,
    multiOperations: parsed.multiSize,
    sessionTimeoutMs: parsed.sessionTimeout,
    keep: parsed.keep === true,
  };
}

/** Makes commander report what `parse` throws as a wrong argument. */
function accept<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
    }
  };
}

function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

function seconds(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text))
    throw new InvalidArgumentError('It must be a number of seconds.');
  return Number(text);
}

function znodePath(text: string): string {
  if (!/^\/$|^(\/[^/]+)+$/.test(text)) {
    throw new InvalidArgumentError('It must be a path such as /bench.');
  }
  return text;
}
