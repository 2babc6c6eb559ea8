import type { PartitionGroup, TestEnsemble } from '@meerkat/testing';
import { ControlError } from './control-error.ts';

/** The body of a request: a JSON object. */
export type ControlBody = Readonly<Record<string, unknown>>;

/** What the ensemble is like, as every request answers it. */
export interface ControlStatus {
  readonly connectString: string;
  readonly members: readonly {
    readonly index: number;
    readonly address: string;
    readonly state: string;
    readonly role: string | null;
    readonly dataDirectory: string | null;
  }[];
  readonly sessions: readonly {
    /** In hexadecimal, as ZooKeeper's logs show it. */
    readonly id: string;
    readonly timeoutMs: number;
    /** Index of the member that its client is connected to. */
    readonly member: number | null;
  }[];
}

/** What may be asked, and which fields its body has. */
interface Verb {
  readonly fields: readonly string[];
  run(ensemble: TestEnsemble, body: ControlBody): void | Promise<void>;
}

const member = ['member'];

/** The verbs of `TestEnsemble`, by the path they have. */
export const controlVerbs: Readonly<Record<string, Verb>> = {
  '/expire-session': {
    fields: ['session'],
    run: (ensemble, { session }) => ensemble.expireSession(sessionIdOf(session)),
  },
  '/partition': {
    fields: ['groups'],
    run: (ensemble, { groups }) => ensemble.partition(groupsOf(groups)),
  },
  '/heal': { fields: [], run: (ensemble) => ensemble.heal() },
  '/pause': { fields: member, run: (ensemble, body) => ensemble.pause(memberOf(body)) },
  '/resume': { fields: member, run: (ensemble, body) => ensemble.resume(memberOf(body)) },
  '/kill': { fields: member, run: (ensemble, body) => ensemble.kill(memberOf(body)) },
  '/restart': { fields: member, run: (ensemble, body) => ensemble.restart(memberOf(body)) },
  '/ready': { fields: [], run: (ensemble) => ensemble.ready() },
  '/disconnect-clients': {
    fields: member,
    run: (ensemble, body) => ensemble.disconnectClients(memberOf(body)),
  },
  '/advance-time': {
    fields: ['ms'],
    run: (ensemble, { ms }) => {
      if (typeof ms !== 'number') throw badField('ms', ms, 'a number of milliseconds');
      return ensemble.advanceTime(ms);
    },
  },
};

/** The state of things now. */
export function statusOf(ensemble: TestEnsemble): ControlStatus {
  return {
    connectString: ensemble.connectString,
    members: ensemble.members.map(({ index, address, state, role, dataDirectory }) => {
      return { index, address, state, role, dataDirectory };
    }),
    sessions: ensemble.sessions().map((session) => {
      const id = `0x${BigInt.asUintN(64, session.id).toString(16)}`;
      return { id, timeoutMs: session.timeoutMs, member: session.member?.index ?? null };
    }),
  };
}

/**
 * Runs a verb.
 *
 * @throws ControlError when the body is not what the verb takes, or the ensemble refuses
 */
export async function runVerb(
  ensemble: TestEnsemble,
  path: string,
  body: ControlBody,
): Promise<void> {
  const verb = Object.hasOwn(controlVerbs, path) ? controlVerbs[path] : undefined;
  if (verb === undefined) throw new ControlError(404, unknownPath(path));
  const unknown = Object.keys(body).find((name) => !verb.fields.includes(name));
  if (unknown !== undefined) {
    const known = verb.fields.length === 0 ? 'none' : verb.fields.join(', ');
    throw new ControlError(
      400,
      `Cannot ${path.slice(1)}: current body has a field ${unknown}; known are: ${known}`,
    );
  }
  try {
    await verb.run(ensemble, body);
  } catch (error) {
    if (error instanceof ControlError) throw error;
    throw new ControlError(409, error instanceof Error ? error.message : String(error));
  }
}

/** What to answer when nothing has that path. */
export function unknownPath(path: string): string {
  const known = Object.keys(controlVerbs).join(', ');
  return `Cannot find ${path}: there are GET /status, and POST ${known}, /stop`;
}

function memberOf(body: ControlBody): number | undefined {
  const index = body.member;
  if (index === undefined || Number.isInteger(index)) return index as number | undefined;
  throw badField('member', index, 'the index of a member, from 0');
}

function groupsOf(groups: unknown): readonly PartitionGroup[] {
  const isPart = (part: unknown): boolean => part === 'clients' || Number.isInteger(part);
  const isGroup = (group: unknown): boolean => Array.isArray(group) && group.every(isPart);
  if (Array.isArray(groups) && groups.every(isGroup)) return groups as PartitionGroup[];
  throw badField('groups', groups, 'an array of arrays of member indexes and "clients"');
}

/** Session ids have 64 bits: text, since JSON readers round numbers of that size. */
function sessionIdOf(session: unknown): bigint {
  const isText = typeof session === 'string' && /^(0x[0-9a-f]{1,16}|-?\d{1,20})$/i.test(session);
  if (isText) return BigInt.asIntN(64, BigInt(session));
  throw badField('session', session, 'the session id as text: "0x10000abcd0000", or in decimal');
}

function badField(name: string, value: unknown, wanted: string): ControlError {
  const shown = JSON.stringify(value) ?? 'missing';
  return new ControlError(
    400,
    `Cannot use ${name}: current value is ${shown}; it must be ${wanted}`,
  );
}
