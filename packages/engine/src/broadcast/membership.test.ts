import assert from 'node:assert/strict';
import test from 'node:test';
import { defaultEnsembleConfig } from '../ensemble-config.ts';
import { parseQuorumConfig, type QuorumConfig } from '../quorum/quorum-config.ts';
import { Membership, readConfigText } from './membership.ts';
import { PowerCut, SmallFiles } from './testing/small-files.ts';

const dynamicFile = '/conf/zoo.cfg.dynamic';

function textOf(ids: readonly number[]): string {
  return ids.map((id) => `server.${id}=host${id}:2888:3888:participant`).join('\n');
}

function configOf(ids: readonly number[], version: number): QuorumConfig {
  return parseQuorumConfig(`${textOf(ids)}\nversion=${version.toString(16)}`);
}

function membershipOf(
  disk: SmallFiles,
  options: { isChangeable?: boolean; proposed?: QuorumConfig; dynamicFile?: string | null } = {},
): Membership {
  const ensemble = {
    ...defaultEnsembleConfig,
    myId: 1,
    members: configOf([1, 2, 3], 0x10),
    proposedMembers: options.proposed ?? null,
    dynamicFile: options.dynamicFile === undefined ? dynamicFile : options.dynamicFile,
  };
  return new Membership(ensemble, disk.disk, options.isChangeable ?? true);
}

test('a configuration that is proposed counts at once, and is in a file for the next start', () => {
  const disk = new SmallFiles();
  const membership = membershipOf(disk);
  membership.propose(configOf([1, 2, 3, 4, 5], 0x20));
  assert.equal(membership.isChanging, true);
  assert.deepEqual(
    [...disk.files],
    [[`${dynamicFile}.next`, `${textOf([1, 2, 3, 4, 5])}\nversion=20\n`]],
  );
  const tracker = membership.view.newTracker();
  for (const id of [1, 2]) tracker.addAck(id);
  assert.equal(tracker.hasAllQuorums(), false);
  tracker.addAck(4);
  assert.equal(tracker.hasAllQuorums(), true);
});

test('a configuration in force is in the file that its version names, without a line that says it', () => {
  const disk = new SmallFiles();
  const membership = membershipOf(disk);
  const config = configOf([1, 2], 0x100000003);
  membership.propose(config);
  const change = membership.activate(config);
  assert.equal(change?.isDifferent, true);
  assert.equal(membership.isChanging, false);
  // What was proposed stays until the next start finds what is in force.
  assert.ok(disk.files.has(`${dynamicFile}.next`));
  membership.settle();
  assert.deepEqual([...disk.files], [[`${dynamicFile}.100000003`, `${textOf([1, 2])}\n`]]);
});

test('a new version of the same members changes nothing but its file', () => {
  const disk = new SmallFiles();
  const change = membershipOf(disk).activate(configOf([1, 2, 3], 0x30));
  assert.equal(change?.isDifferent, false);
  assert.deepEqual([...disk.files.keys()], [`${dynamicFile}.30`]);
});

test('wherever a crash comes, the next start knows the old configuration and perhaps the new one, or the new one', () => {
  for (let orders = 0; orders < 4; orders++) {
    const disk = new SmallFiles();
    const membership = membershipOf(disk);
    const config = configOf([1, 2, 3, 4, 5], 0x20);
    disk.ordersLeft = orders;
    try {
      membership.propose(config);
      membership.activate(config);
      membership.settle();
    } catch (error) {
      assert.ok(error instanceof PowerCut);
    }
    const next = disk.files.get(`${dynamicFile}.next`);
    const inForce = disk.files.get(`${dynamicFile}.20`);
    assert.deepEqual(
      [next !== undefined, inForce !== undefined],
      [
        [false, false],
        [true, false],
        [true, true],
        [false, true],
      ][orders],
    );
    // With both, the proposed one is what is in force already: it does not count twice.
    if (next === undefined) continue;
    const proposed = readConfigText(next);
    assert.ok(proposed !== null);
    const after = membershipOf(disk, { proposed });
    assert.equal(after.isChanging, true);
    assert.equal(after.lastSeen.version, 0x20);
  }
});

test('an older configuration changes nothing, proposed or in force', () => {
  const disk = new SmallFiles();
  const membership = membershipOf(disk);
  assert.equal(membership.activate(configOf([1], 0x0f)), null);
  assert.equal(membership.activate(configOf([1], 0x10)), null);
  membership.propose(configOf([1], 0x10));
  assert.equal(membershipOf(disk, { proposed: configOf([1], 0x0f) }).isChanging, false);
  assert.deepEqual([...disk.files], []);
});

test('a newer proposal outlives the configuration before it', () => {
  const disk = new SmallFiles();
  const membership = membershipOf(disk);
  membership.propose(configOf([1, 2, 3, 4], 0x30));
  membership.activate(configOf([1, 2], 0x20));
  assert.equal(membership.isChanging, true);
  assert.equal(membership.current.version, 0x20);
  assert.deepEqual([...disk.files.keys()].sort(), [`${dynamicFile}.20`, `${dynamicFile}.next`]);
});

test('without reconfigEnabled the configuration is what the file says, whatever comes', () => {
  const disk = new SmallFiles();
  const membership = membershipOf(disk, {
    isChangeable: false,
    proposed: configOf([1], 0x30),
  });
  membership.propose(configOf([1], 0x40));
  assert.equal(membership.activate(configOf([1], 0x50)), null);
  assert.equal(membership.lastSeen.version, 0x10);
  assert.deepEqual([...disk.files], []);
});

test('without a dynamic file nothing is written', () => {
  const disk = new SmallFiles();
  const membership = membershipOf(disk, { dynamicFile: null });
  membership.propose(configOf([1, 2], 0x20));
  membership.activate(configOf([1, 2], 0x20));
  assert.equal(membership.current.version, 0x20);
  assert.deepEqual([...disk.files], []);
});

test('who was removed has no line, and is told so', () => {
  const membership = membershipOf(new SmallFiles());
  assert.equal(membership.self?.id, 1);
  membership.activate(configOf([2, 3], 0x20));
  assert.equal(membership.self, null);
});

test('a text that is no configuration is none', () => {
  for (const text of ['server.x=a:1:2', 'server.1=nothing', 'server.1=a:1:2\nversion=zz']) {
    assert.equal(readConfigText(text), null, text);
  }
});

test('one version with different members is refused without an end of the process', () => {
  const membership = membershipOf(new SmallFiles());
  membership.activate(configOf([1, 2], 0x20));
  assert.equal(membership.activate(configOf([1, 2, 3], 0x20)), null);
});
