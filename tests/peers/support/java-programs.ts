import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ProgramOptions, type ProgramResult, runProgramOk } from './child-processes.ts';
import { programsDirectory, temporaryDirectory } from './paths.ts';
import { curatorClassPath, zooKeeperClassPath } from './peers.ts';

/** Classes compiled so far in this process, by program name. */
const compiled = new Map<string, Promise<string>>();

/** The libraries a Java program is compiled and run with. */
export type JavaLibraries = 'zookeeper' | 'curator';

const classPaths: Record<JavaLibraries, string> = {
  zookeeper: zooKeeperClassPath,
  curator: curatorClassPath,
};

/** Compiles programs/NAME.java once per process into a temporary directory; returns the class path to run it with. */
export function compileJava(name: string, libraries: JavaLibraries = 'zookeeper'): Promise<string> {
  let classPath = compiled.get(name);
  if (classPath === undefined) {
    classPath = compile(name, libraries);
    compiled.set(name, classPath);
  }
  return classPath;
}

/** Arguments of `java` for program NAME: quick-starting JVM, only errors logged, class path, name. */
export async function javaArguments(
  name: string,
  libraries: JavaLibraries = 'zookeeper',
  systemProperties: Readonly<Record<string, string | number>> = {},
): Promise<string[]> {
  const classPath = await compileJava(name, libraries);
  return [
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
    ...Object.entries(systemProperties).map(([key, value]) => `-D${key}=${value}`),
    '-cp',
    classPath,
    name,
  ];
}

/** Compiles (if needed) and runs programs/NAME.java, which must exit with 0. */
export async function runJava(
  name: string,
  args: readonly string[],
  options: ProgramOptions & {
    readonly libraries?: JavaLibraries;
    readonly systemProperties?: Readonly<Record<string, string | number>>;
  } = {},
): Promise<ProgramResult> {
  const start = await javaArguments(name, options.libraries, options.systemProperties);
  return runProgramOk('java', [...start, ...args], options);
}

async function compile(name: string, libraries: JavaLibraries): Promise<string> {
  const classes = join(temporaryDirectory('classes'), name);
  mkdirSync(classes, { recursive: true });
  // -implicit:none: one of Debian's jars carries sources that javac would otherwise compile along.
  await runProgramOk('javac', [
    '-implicit:none',
    '-proc:none',
    '-Xlint:-options',
    '-d',
    classes,
    '-cp',
    classPaths[libraries],
    join(programsDirectory, `${name}.java`),
  ]);
  return `${classes}:${classPaths[libraries]}`;
}
