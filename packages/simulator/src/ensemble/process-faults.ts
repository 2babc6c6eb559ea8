import { anyUp, type Fault } from './fault.ts';

/** What happens to processes and their clocks. */
export const processFaults: Readonly<Record<string, Fault>> = {
  crash: (host, random) => {
    const member = anyUp(host, random);
    if (member === undefined) return false;
    host.crash(member, random.percent(60) ? 'power' : 'kill');
    return true;
  },
  'crash in the middle': (host, random) => {
    const member = anyUp(host, random);
    if (member === undefined) return false;
    const orders = 1 + random.below(random.percent(50) ? 20 : 300);
    const how = random.percent(60) ? 'power' : 'kill';
    host.say(`${member.id} will die at its ${orders}th order, by ${how}`);
    member.doom(orders, how);
    return true;
  },
  'leader crash': (host, random) => {
    const leader = host.members.find(({ role }) => role === 'leading');
    if (leader === undefined) return false;
    if (random.percent(50)) host.crash(leader, random.percent(60) ? 'power' : 'kill');
    else leader.doom(1 + random.below(30), 'power');
    return true;
  },
  blackout: (host, random) => {
    const up = host.members.filter(({ isUp }) => isUp);
    if (up.length === 0) return false;
    host.say('the power fails everywhere');
    for (const member of up) if (random.percent(90)) host.crash(member, 'power');
    return true;
  },
  'blackout in the middle': (host, random) => {
    const up = host.members.filter(({ isUp }) => isUp);
    if (up.length === 0) return false;
    host.say('everybody will die in the middle of something');
    for (const member of up) member.doom(1 + random.below(40), 'power');
    return true;
  },
  stop: (host, random) => {
    const member = anyUp(host, random);
    if (member === undefined) return false;
    host.stop(member);
    return true;
  },
  pause: (host, random) => {
    const member = anyUp(host, random);
    if (member === undefined) return false;
    const ms = random.below(random.percent(50) ? 1000 : 10 * host.tickTimeMs);
    host.say(`${member.id} stands still for ${ms} ms`);
    member.standStill(ms);
    return true;
  },
  'client pause': (host, random) => {
    const client = host.clients[random.below(host.clients.length)];
    const ms = random.below(8 * host.tickTimeMs);
    host.say(`${client?.name} stands still for ${ms} ms`);
    client?.standStill(ms);
    return true;
  },
  'client crash': (host, random) => {
    const client = host.clients[random.below(host.clients.length)];
    host.say(`${client?.name} is gone`);
    client?.crash();
    return true;
  },
  'wall clock jump': (host, random) => {
    const member = anyUp(host, random);
    if (member === undefined) return false;
    const ms = random.below(200_000) - 100_000;
    host.say(`the wall clock of ${member.id} jumps by ${ms} ms`);
    member.jumpWallClock(ms);
    return true;
  },
  'clock drift': (host, random) => {
    // From its next life on.
    const member = host.members[random.below(host.members.length)];
    if (member === undefined) return false;
    member.clockOptions = {
      rate: 0.97 + random.below(60) / 1000,
      wallOffsetMs: random.below(10_000),
    };
    return true;
  },
  snapshot: (host, random) => {
    const member = anyUp(host, random);
    return member?.isServing === true && (member.replica?.beginSnapshot() ?? false);
  },
};
