import { BadArgumentsError } from './errors.ts';
import { pathProblem } from './paths.ts';
import type { HostPort } from './ports.ts';

/** A connect string taken apart. */
export interface ConnectTarget {
  /** The servers in the order given, at least one; none when `srvName` stands for them. */
  readonly servers: readonly HostPort[];
  /** The name whose SRV records in DNS are the servers; null when they are given. */
  readonly srvName: string | null;
  /** The path that every path of the client is under; '' when there is none. */
  readonly chroot: string;
}

/**
 * Takes a connect string apart: `host:port,host:port/chroot` or `dns-srv://name/chroot`, as ZooKeeper's
 * `ConnectStringParser.java`. The port defaults to 2181; an IPv6 address with a port stands in brackets.
 *
 * @throws BadArgumentsError when it names no server, a port is not one, or the chroot is not a valid path
 */
export function parseConnectString(connectString: string): ConnectTarget {
  if (typeof connectString !== 'string') throw bad(connectString, 'it must be a string');
  const isSrv = connectString.startsWith(srvPrefix);
  const target = isSrv ? connectString.slice(srvPrefix.length) : connectString;
  const slash = target.indexOf('/');
  const chroot = slash === -1 ? '' : target.slice(slash).trim();
  const hosts = slash === -1 ? target : target.slice(0, slash);
  const problem = chroot === '' ? null : pathProblem(chroot);
  if (problem !== null) throw bad(connectString, `its chroot is not valid: ${problem}`);
  const path = chroot === '/' ? '' : chroot;
  if (isSrv) return { servers: [], srvName: parseSrvName(hosts, connectString), chroot: path };
  const servers = hosts
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => parseServer(part, connectString));
  if (servers.length === 0) throw bad(connectString, 'it must name at least one server');
  return { servers, srvName: null, chroot: path };
}

/** A server as text, with brackets round an IPv6 address. */
export function formatServer(server: HostPort): string {
  return server.host.includes(':')
    ? `[${server.host}]:${server.port}`
    : `${server.host}:${server.port}`;
}

const defaultPort = 2181;

const srvPrefix = 'dns-srv://';

function parseSrvName(text: string, connectString: string): string {
  const name = text.trim();
  if (!/^[^\s,:[\]]{1,253}$/u.test(name))
    throw bad(connectString, 'dns-srv:// must be followed by one name, without a port');
  return name;
}

function parseServer(part: string, connectString: string): HostPort {
  const bracketed = /^\[([^\]]+)\](?::(.*))?$/.exec(part);
  if (bracketed !== null) {
    return { host: bracketed[1] ?? '', port: parsePort(bracketed[2], connectString) };
  }
  const colon = part.lastIndexOf(':');
  // An IPv6 address without brackets has several colons, and no port.
  if (colon === -1 || part.indexOf(':') !== colon) return { host: part, port: defaultPort };
  if (colon === 0) throw bad(connectString, 'a server must have a name');
  return { host: part.slice(0, colon), port: parsePort(part.slice(colon + 1), connectString) };
}

function parsePort(text: string | undefined, connectString: string): number {
  if (text === undefined) return defaultPort;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw bad(connectString, 'a port must be a number from 1 to 65535');
  return port;
}

function bad(value: unknown, why: string): BadArgumentsError {
  return new BadArgumentsError({
    message: `Cannot use a connect string: current value is ${JSON.stringify(value)}, and ${why}`,
  });
}
