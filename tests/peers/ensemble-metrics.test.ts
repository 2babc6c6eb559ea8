import assert from 'node:assert/strict';
import { connect } from '@meerkat/client';
import { Ensemble } from './support/ensemble-of.ts';
import { peerTest } from './support/peers.ts';

/* What `mntr` says of members, beside Java members in the same role: monitors ask for these names. */

/** Numbers that Java has of queues, threads, caches and handshakes that a Meerkat does not have. */
const withoutCounterpart = new Set(
  `add_dead_watcher_stall_time cnxn_closed_without_zk_server_running dead_watchers_cleared dead_watchers_queued
  ensemble_auth_fail ensemble_auth_skip ensemble_auth_success insecure_admin_count outstanding_changes_queued
  outstanding_changes_removed prep_processor_request_queued request_commit_queued
  requests_not_forwarded_to_commit_processor response_packet_cache_hits response_packet_cache_misses
  response_packet_get_children_cache_hits response_packet_get_children_cache_misses
  skip_learner_request_to_next_processor_count stale_replies stale_requests sync_processor_request_queued
  tls_handshake_exceeded unsuccessful_handshake`.split(/\s+/),
);
/** Ours beside Java's: of 3.9, until 3.5, and what tells more than Java does. */
const beside = new Set(['snapshot_error_count', 'followers', 'current_epoch']);
const isSummary = (name: string): boolean => /^(?:avg|min|max|cnt|sum|p\d+)_/.test(name);

/** Name and value of each number. */
function numbersOf(text: string): Map<string, string> {
  const lines = text.split('\n').filter((line) => line.startsWith('zk_'));
  return new Map(
    lines.map((line): [string, string] => {
      const [name = '', value = ''] = line.slice('zk_'.length).split('\t');
      return [name, value];
    }),
  );
}

peerTest(
  'mntr of a leader and a follower has the names that Java has of them, and counts what they did',
  ['java', 'zookeeper.jar'],
  async (t) => {
    /** What members of one kind and role say. */
    const said = new Map<string, Map<string, string>>();
    for (const kind of ['meerkat', 'java'] as const) {
      const ensemble = await Ensemble.of(t, { voters: [kind, kind, kind] });
      await ensemble.start();
      const zk = await connect(ensemble.connectString, { sessionTimeoutMs: 20_000 });
      for (let i = 0; i < 10; i++) await zk.create(`/n${i}`);
      await zk.close();
      await ensemble.untilEqual();
      for (const member of ensemble.members) {
        const numbers = numbersOf(await member.word('mntr'));
        said.set(`${kind} ${numbers.get('server_state')}`, numbers);
      }
      await Promise.all(ensemble.members.map((member) => member.kill()));
    }
    for (const role of ['leader', 'follower']) {
      const ours = said.get(`meerkat ${role}`);
      const theirs = said.get(`java ${role}`);
      assert.ok(ours !== undefined && theirs !== undefined, [...said.keys()].join());
      assert.deepEqual(
        [...ours.keys()].filter((name) => !theirs.has(name) && !beside.has(name)),
        [],
        `a ${role} names what Java does not`,
      );
      assert.deepEqual(
        [...theirs.keys()].filter(
          (name) => !ours.has(name) && !isSummary(name) && !withoutCounterpart.has(name),
        ),
        [],
        `a ${role} leaves out what it could know`,
      );
      // A session begins and ends, and ten znodes are made.
      const names =
        role === 'leader'
          ? ['proposal_count', 'commit_count']
          : ['learner_proposal_received_count', 'learner_commit_received_count'];
      for (const name of names) {
        assert.equal(ours.get(name), '12', name);
        assert.equal(theirs.get(name), '12', `Java's ${name}`);
      }
    }
  },
);
