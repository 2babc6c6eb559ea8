import { readFileSync } from 'node:fs';
import { PropertiesSyntaxError, type Property, readProperties } from '@meerkat/engine';
import { ConfigurationError, ValueError } from './configuration-error.ts';
import { type ConfigurationDraft, emptyDraft } from './draft.ts';
import { peerTypeRemark, settleEnsemble } from './ensemble.ts';
import { findKey } from './key-table.ts';
import {
  isMembershipKey,
  type MembershipLine,
  membershipLine,
  readMembership,
} from './membership.ts';
import type { ConfigurationRemark, ServerConfig } from './server-config.ts';

/** A configuration, and what its reader noticed. */
export interface ReadConfiguration {
  readonly config: ServerConfig;
  readonly remarks: readonly ConfigurationRemark[];
}

/** Java's `BinaryInputArchive` adds at least this, and never goes beyond an int. */
const extraBytesMin = 1024;
const int32Max = 0x7fffffff;

/**
 * Reads a zoo.cfg.
 *
 * @throws ConfigurationError that names the file, the line, the key, the value and what to do
 */
export function readConfigurationFile(path: string): ReadConfiguration {
  const draft = emptyDraft();
  draft.server.file = path;
  const reading = new Reading(draft, path);
  reading.takeAll(readPropertiesFile(path));
  if (draft.dynamicConfigFile !== null) reading.takeDynamic(draft.dynamicConfigFile);
  const membership = readMembership(reading.membershipLines, draft.standaloneEnabled, path);
  const ensemble = settleEnsemble(draft, membership, path, readPropertiesFile);
  const config = settle(draft, path);
  const typeRemark = peerTypeRemark(draft, ensemble);
  const oddities = [...membership.remarks, ...(typeRemark === null ? [] : [typeRemark])];
  const warnings = oddities.map((message): ConfigurationRemark => ({ level: 'warn', message }));
  const replica =
    ensemble === null ? config.replica : { ...config.replica, serverId: ensemble.myId, ensemble };
  return { config: { ...config, replica }, remarks: [...warnings, ...reading.remarks()] };
}

/**
 * The configuration that `meerkat server <port> <dataDir> [tickTime] [maxClientCnxns]` means. Like
 * ZooKeeper, it sets no limit per address unless it is given.
 *
 * @throws ConfigurationError when the arguments do not do
 */
export function configurationOfArguments(args: readonly string[]): ReadConfiguration {
  const place = { file: 'arguments', line: 0 };
  if (args.length < 2 || args.length > 4) {
    throw new ConfigurationError(
      place,
      `Cannot start with ${args.length} arguments; write a configuration file, or <port> <dataDir> [tickTime] [maxClientCnxns]`,
    );
  }
  const draft = emptyDraft();
  const reading = new Reading(draft, place.file);
  const keys = ['clientPort', 'dataDir', 'tickTime', 'maxClientCnxns'];
  const given = args.map((value, at) => ({ key: keys[at] ?? '', value, line: 0 }));
  reading.takeAll([{ key: 'maxClientCnxns', value: '0', line: 0 }, ...given]);
  return { config: settle(draft, place.file), remarks: reading.remarks() };
}

/** Goes through settings one by one and remembers what was odd about them. */
class Reading {
  readonly #draft: ConfigurationDraft;
  readonly #file: string;
  readonly #unknown: string[] = [];
  readonly #noEffect: string[] = [];
  readonly #later: string[] = [];
  readonly membershipLines: MembershipLine[] = [];

  constructor(draft: ConfigurationDraft, file: string) {
    this.#draft = draft;
    this.#file = file;
  }

  takeAll(properties: readonly Property[]): void {
    const hasDynamicFile = properties.some(({ key }) => key.trim() === 'dynamicConfigFile');
    for (const property of properties) {
      const key = property.key.trim();
      if (!isMembershipKey(key)) {
        this.#take(property);
      } else if (hasDynamicFile && key !== 'version') {
        throw new ConfigurationError(
          { file: this.#file, line: property.line },
          `Cannot take ${key} from here: with dynamicConfigFile, members stand in that file`,
        );
      } else if (!hasDynamicFile) {
        this.membershipLines.push(membershipLine(property, this.#file));
      }
    }
  }

  /** Reads the file of `dynamicConfigFile`, whose name ends in its version if it has one. */
  takeDynamic(file: string): void {
    const properties = readPropertiesFile(
      file,
      `it is the dynamicConfigFile of ${this.#file}: correct the name there, or put the server.N lines into this file`,
    );
    for (const property of properties) {
      const key = property.key.trim();
      const isVersion = key === 'version';
      if (isVersion || !isMembershipKey(key)) {
        throw new ConfigurationError(
          { file, line: property.line },
          isVersion
            ? "Cannot take a version from here: the end of the file's name says it; take the line out"
            : `Cannot take ${key} from here: only server.N, group.N and weight.N stand in this file; move it to ${this.#file}`,
        );
      }
      this.membershipLines.push(membershipLine(property, file));
    }
    // Alone, a member whose list was lost would serve what its ensemble has long changed.
    if (!properties.some(({ key }) => key.trim().startsWith('server.'))) {
      throw new ConfigurationError(
        { file, line: 0 },
        `Cannot find the members in this file: current value is ${properties.length === 0 ? '(empty)' : 'no server.N line'}; write them, or take dynamicConfigFile out of ${this.#file}`,
      );
    }
    const version = /\.([0-9a-fA-F]+)$/.exec(file)?.[1];
    if (version !== undefined) {
      this.membershipLines.push({ key: 'version', value: version, place: { file, line: 0 } });
    }
  }

  /** What is worth saying about keys that do nothing. */
  remarks(): readonly ConfigurationRemark[] {
    const remarks: ConfigurationRemark[] = [];
    const say = (level: 'info' | 'warn', keys: readonly string[], what: string): void => {
      if (keys.length > 0) remarks.push({ level, message: `${what}: ${keys.join(', ')}` });
    };
    say('warn', this.#unknown, 'unknown keys in the configuration, spelled wrongly perhaps');
    say('warn', this.#later, 'keys without effect yet (docs/configuration.md says why)');
    say('info', this.#noEffect, 'keys without effect here (docs/configuration.md says why)');
    return remarks;
  }

  #take(property: Property): void {
    const name = property.key.trim();
    const value = property.value.trim();
    const key = findKey(name);
    if (key === null) {
      this.#unknown.push(name);
      return;
    }
    if (key.effect === 'later') this.#later.push(name);
    if (key.effect === 'no effect') this.#noEffect.push(name);
    try {
      key.apply(this.#draft, value);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      throw new ConfigurationError(
        { file: this.#file, line: property.line },
        `Cannot set ${name}: current value is ${value === '' ? '(empty)' : value}; it ${error.message}`,
      );
    }
  }
}

/** @param advice what to do when it cannot be read */
function readPropertiesFile(
  path: string,
  advice = 'give the path of a zoo.cfg',
): readonly Property[] {
  let text: string;
  try {
    // Java reads properties as ISO 8859-1; anything else is written with \u.
    text = readFileSync(path, 'latin1');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new ConfigurationError(
      { file: path, line: 0 },
      `Cannot read the configuration: the system says ${code}; ${advice}`,
    );
  }
  try {
    return readProperties(text);
  } catch (error) {
    if (!(error instanceof PropertiesSyntaxError)) throw error;
    throw new ConfigurationError({ file: path, line: error.line }, error.message);
  }
}

/** Settles what depends on several settings. */
function settle(draft: ConfigurationDraft, file: string): ServerConfig {
  const fail = (problem: string): never => {
    throw new ConfigurationError({ file, line: 0 }, problem);
  };
  const { server } = draft;
  const { replica, listener } = server;
  if (draft.dataDir === null || draft.dataDir === '') {
    return fail('Cannot start without dataDir; add a line like dataDir=/var/lib/zookeeper');
  }
  if (draft.clientPort === null) {
    return fail('Cannot start without clientPort; add the line clientPort=2181');
  }
  replica.dataDir = draft.dataDir;
  replica.dataLogDir = draft.dataLogDir ?? draft.dataDir;
  listener.port = draft.clientPort;
  listener.host = draft.clientPortAddress;
  const { tickTimeMs } = replica;
  replica.minSessionTimeoutMs = orElse(draft.minSessionTimeoutMs, 2 * tickTimeMs);
  replica.maxSessionTimeoutMs = orElse(draft.maxSessionTimeoutMs, 20 * tickTimeMs);
  if (replica.minSessionTimeoutMs > replica.maxSessionTimeoutMs) {
    fail(
      `Cannot start with minSessionTimeout above maxSessionTimeout: current values are ${replica.minSessionTimeoutMs} and ${replica.maxSessionTimeoutMs} ms; by default they are 2 and 20 ticks`,
    );
  }
  const frameBytesMax = replica.limits.frameBytesMax;
  const extraBytes = Math.max(extraBytesMin, orElse(draft.maxBufferExtraBytes, frameBytesMax));
  replica.limits.extraBytesMax = Math.min(extraBytes, int32Max - frameBytesMax);
  return server;
}

function orElse(value: number, fallback: number): number {
  return value === -1 ? fallback : value;
}
