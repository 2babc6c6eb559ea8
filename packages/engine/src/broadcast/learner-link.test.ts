import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JuteError, JuteWriter } from '@meerkat/protocol';
import type { PeerNetwork } from '../ports.ts';
import { LearnerLink, type LearnerLinkEvents, LinkStage } from './learner-link.ts';
import { PacketType, writeBarePacket } from './quorum-packet.ts';

/** A network that takes everything, or nothing. */
class Network {
  sent: Uint8Array[] = [];
  unsent = 0;
  isDestroyed = false;
  readonly peers = {
    send: (_stream: number, bytes: Uint8Array, start: number, end: number) => {
      assert.equal(this.isDestroyed, false, 'nothing is sent on what was destroyed');
      this.sent.push(bytes.slice(start, end));
      return true;
    },
    unsentBytes: () => this.unsent,
    destroy: () => {
      this.isDestroyed = true;
    },
  } as unknown as PeerNetwork;
}

function linkOf(
  network: Network,
  events: Partial<LearnerLinkEvents>,
  unsentBytesMax = 1000,
): LearnerLink {
  const limits = { dataBytesMax: 1000, authIdsMax: 10, authBytesMax: 1000 };
  const address = { host: 'there', port: 1 };
  return new LearnerLink(
    1,
    address,
    network.peers,
    limits,
    unsentBytesMax,
    events as LearnerLinkEvents,
  );
}

test('an answer to a PING that was never sent confirms no later one', () => {
  const link = linkOf(new Network(), {});
  link.stage = LinkStage.serving;
  const pings = new JuteWriter(64);
  for (let i = 0; i < 5; i++) writeBarePacket(pings, PacketType.ping, 0);
  link.received(pings.bytes, 0, pings.length);
  assert.equal(link.answeredRound, 0);
  link.askedRound = 2;
  link.received(pings.bytes, 0, pings.length);
  assert.equal(link.answeredRound, 2);
});

test('who does not take what waits for it is said not to keep up, at the bound and not before', () => {
  const network = new Network();
  const link = linkOf(network, {}, 1000);
  network.unsent = 1000;
  link.outbox.writeInt(1);
  assert.equal(link.flush(), true);
  network.unsent = 1001;
  assert.equal(link.flush(), false);
});

test('what waits behind a snapshot counts too', () => {
  const network = new Network();
  const bound = 1024 * 1024 + 500;
  const link = linkOf(network, {}, bound);
  // The network is full, so that the stream waits, and everything behind it.
  network.unsent = 1024 * 1024;
  link.startStream({ writeNext: () => assert.fail('nothing more is sent'), close: () => {} });
  link.outbox.writeBytes(new Uint8Array(500), 0, 500);
  assert.equal(link.flush(), true);
  link.outbox.writeBytes(new Uint8Array(1), 0, 1);
  assert.equal(link.flush(), false);
});

test('what fails while it is streamed ends the link once, and nothing more is sent', () => {
  const network = new Network();
  const ends: string[] = [];
  const link: LearnerLink = linkOf(network, {
    onStreamFailed: (_link, reason) => {
      ends.push(reason);
      link.close();
    },
  });
  link.startStream({
    writeNext: (outbox) => {
      outbox.writeInt(7);
      throw new JuteError('Cannot read what is damaged');
    },
    close: () => {},
  });
  assert.equal(link.flush(), true);
  assert.equal(ends.length, 1);
  assert.equal(network.sent.length, 0);
});
