import { isWildcardHost } from './host-text.ts';
import { formatMember, type QuorumMember } from './member.ts';
import type { QuorumConfig } from './quorum-config.ts';

/**
 * What two configurations of one version disagree about, in words; null when it is nothing that matters. They were
 * written by hand then, on two machines. A host that means every address is each machine's own business, and so is
 * where a member serves clients.
 */
export function configDifference(here: QuorumConfig, there: QuorumConfig): string | null {
  const ids = [...new Set([...here.members.keys(), ...there.members.keys()])].sort((a, b) => a - b);
  for (const id of ids) {
    const ours = here.members.get(id);
    const theirs = there.members.get(id);
    if (ours === undefined) return `server.${id} is a member there and not here`;
    if (theirs === undefined) return `server.${id} is a member here and not there`;
    if (isSameForPeers(ours, theirs)) continue;
    return `server.${id} is ${peerPart(ours)} here and ${peerPart(theirs)} there`;
  }
  return null;
}

function isSameForPeers(a: QuorumMember, b: QuorumMember): boolean {
  const isAnywhere = [...a.addresses, ...b.addresses].some(({ host }) => isWildcardHost(host));
  return (isAnywhere && a.type === b.type) || peerPart(a) === peerPart(b);
}

/** Where peers reach a member, and its role. */
function peerPart(member: QuorumMember): string {
  return formatMember({ ...member, client: null, secureClient: null });
}
