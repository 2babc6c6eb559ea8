import assert from 'node:assert/strict';
import { formatQuorumConfig, parseQuorumConfig, QuorumConfigError } from '@meerkat/engine';
import { runJava } from './support/java-programs.ts';
import { peerTest } from './support/peers.ts';
import { SeededRandom } from './support/seeded-random.ts';

/*
 * The content of the config node is the same on every member, whoever prints it: the order of Java's maps, hosts as Java
 * writes them back, and the same texts refused.
 */
peerTest(
  'configurations are read and printed as by Java',
  ['java', 'javac', 'zookeeper.jar'],
  async () => {
    const random = new SeededRandom(20);
    const texts = [...edgeCases, ...Array.from({ length: 300 }, () => randomConfig(random))];
    const { stdout } = await runJava('ConfigText', [], {
      // No name is looked up: Java does so for each address it reads.
      systemProperties: { 'jdk.net.hosts.file': '/dev/null' },
      input: texts.join('\n---\n').concat('\n---\n'),
    });
    const expected = stdout.split('\n---\n').slice(0, -1);
    assert.equal(expected.length, texts.length);
    for (const [index, text] of texts.entries()) {
      assert.equal(printed(text), expected[index], text);
    }
  },
);

const edgeCases = [
  'server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2',
  'server.1=a:1:2:observer;2181\nserver.2=b:1:2:PARTICIPANT;host:2181\nserver.3=c:1:2;127.0.0.1:2182\nversion=100000000',
  'server.1=[::1]:1:2;[::]:2181\nserver.2=[2001:DB8::a:0:1]:1:2\nserver.3=[::ffff:10.0.0.1]:1:2',
  'server.1=127.1:1:2\nserver.2=10.258:1:2\nserver.3=010.0.0.1:1:2',
  'server.1=b:1:2|a:3:4\nserver.2=b:1:2:observer|a:3:4\nserver.3=c:1:2',
  'server.1=a:1\nserver.2=b:1:2',
  'server.1=a:1:1\nserver.2=b:1:2\nserver.3=c:1:2',
  'server.1=a:1:2\nserver.2=b:1:70000',
  'server.1=a:1:2:leader\nserver.2=b:1:2',
  'server.1=a:1:2\nserver.2=b:1:2\nclientPort=2181',
  'server.1=a:1:2\nserver.2=b:1:2\nversion=xyz',
  'server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\ngroup.1=1:2\ngroup.2=3\nweight.2=0\nversion=a',
  'server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\ngroup.1=1:2\nweight.2=0',
  'server.1=a:1:2\nserver.2=b:1:2\ngroup.1=1:2\ngroup.2=2',
  'server.1=a:1:2\nserver.2=b:1:2\nweight.2=1',
];

/** Members with ids near and far, some in groups, in any order. */
function randomConfig(random: SeededRandom): string {
  const count = 2 + random.below(random.below(4) === 0 ? 60 : 6);
  const idMax = [count, 2 * count, 255, 100_000, 2 ** 40][random.below(5)] ?? count;
  const ids = new Set<number>();
  while (ids.size < count) {
    ids.add(
      random.below(Math.min(idMax, 2 ** 31)) + (idMax > 2 ** 31 ? random.below(9) * 2 ** 32 : 0),
    );
  }
  const lines = [...ids].map((id, index) => {
    // Two voters at least: Java refuses less for reasons beyond the text.
    const type = ['', ':participant', ':observer'][random.below(index < 2 ? 2 : 3)] ?? '';
    const client = ['', ';2181', ';h:2181', ';10.0.0.1:2181'][random.below(4)] ?? '';
    return `server.${id}=host${id}:${1 + random.below(9)}:${10 + random.below(9)}${type}${client}`;
  });
  if (random.below(3) === 0) {
    const groups = new Map<number, number[]>();
    for (const id of ids) {
      const group = random.below(4);
      groups.set(group, [...(groups.get(group) ?? []), id]);
      lines.push(`weight.${id}=${random.below(3)}`);
    }
    for (const [group, members] of groups) lines.push(`group.${group}=${members.join(':')}`);
  }
  if (random.below(2) === 0) lines.push(`version=${random.below(2 ** 31).toString(16)}`);
  return lines.join('\n');
}

function printed(text: string): string {
  try {
    return formatQuorumConfig(parseQuorumConfig(text));
  } catch (error) {
    if (error instanceof QuorumConfigError) return 'error';
    throw error;
  }
}
