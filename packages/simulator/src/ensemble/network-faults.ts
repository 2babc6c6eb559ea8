import { allHosts, type Fault, healLater, setBlocked } from './fault.ts';

/** What happens between hosts. */
export const networkFaults: Readonly<Record<string, Fault>> = {
  'stream cut': (host) => {
    host.say('a stream is cut');
    host.fabric.cutAny();
    return true;
  },
  'reconnect storm': (host) => {
    let cut = 0;
    for (const { host: name } of host.clients) cut += host.fabric.cutAllOf(name);
    host.say(`${cut} clients are cut off at once`);
    return true;
  },
  'client moves': (host, random) => {
    const client = host.clients[random.below(host.clients.length)];
    if (client === undefined) return false;
    host.say(`${client.name} is cut off`);
    return host.fabric.cutAllOf(client.host) > 0;
  },
  partition: (host, random, isOver) => {
    const left = allHosts(host).filter(() => random.percent(50));
    const right = allHosts(host).filter((name) => !left.includes(name));
    host.say(`${left.join()} are cut off from ${right.join()}`);
    setBlocked(host, left, right, true);
    healLater(host, random, isOver, () => setBlocked(host, left, right, false));
    return true;
  },
  'leader alone': (host, random, isOver) => {
    const leader = host.members.find(({ role }) => role === 'leading');
    if (leader === undefined) return false;
    const others = host.members.filter((member) => member !== leader).map((member) => member.host);
    const name = [leader.host];
    host.say(`${leader.id} is cut off from the other members, not from its clients`);
    setBlocked(host, name, others, true);
    healLater(host, random, isOver, () => setBlocked(host, name, others, false));
    return true;
  },
  'one-way block': (host, random, isOver) => {
    const names = allHosts(host);
    const from = names[random.below(names.length)] as string;
    const to = names[random.below(names.length)] as string;
    host.say(`nothing goes from ${from} to ${to}`);
    host.fabric.setBlocked(from, to, true);
    healLater(host, random, isOver, () => host.fabric.setBlocked(from, to, false));
    return true;
  },
  bridge: (host, random, isOver) => {
    const names = host.members.map((member) => member.host);
    const bridge = names[random.below(names.length)];
    const others = names.filter((name) => name !== bridge);
    const left = others.slice(0, others.length >> 1);
    const right = others.slice(others.length >> 1);
    host.say(`${left.join()} and ${right.join()} reach each other no more, but ${bridge} both`);
    setBlocked(host, left, right, true);
    healLater(host, random, isOver, () => setBlocked(host, left, right, false));
    return true;
  },
  flapping: (host, random, isOver) => {
    const member = host.members[random.below(host.members.length)];
    if (member === undefined) return false;
    const name = [member.host];
    const others = allHosts(host).filter((each) => each !== member.host);
    host.say(`the network of ${member.id} comes and goes`);
    let left = 2 * (2 + random.below(6));
    const flap = (): void => {
      left -= 1;
      setBlocked(host, name, others, left % 2 === 1 && !isOver());
      if (left > 0 && !isOver()) host.after(50 + random.below(2 * host.tickTimeMs), flap);
    };
    flap();
    return true;
  },
  'slow link': (host, random, isOver) => {
    const names = allHosts(host);
    const from = names[random.below(names.length)] as string;
    const to = names[random.below(names.length)] as string;
    const ms = 20 + random.below(random.percent(50) ? 200 : 4 * host.tickTimeMs);
    host.say(`from ${from} to ${to} everything takes ${ms} ms longer`);
    host.fabric.setSlow(from, to, ms);
    healLater(host, random, isOver, () => host.fabric.setSlow(from, to, 0));
    return true;
  },
  'network whole': (host) => {
    host.say('the network is whole again');
    host.fabric.heal();
    return true;
  },
};
