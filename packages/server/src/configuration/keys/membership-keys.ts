import { type ConfigurationKey, honoured } from '../configuration-key.ts';
import { oneOf, text, trueOrFalse } from '../readers.ts';

/** Who belongs to the ensemble. `server.*`, `group.*`, `weight.*` and `version` are read together, not one by one. */
export const membershipKeys: readonly ConfigurationKey[] = [
  member(
    'server.*',
    'host:port:port[:role][;clientPort]',
    'a member: its port for learners, its port for elections, `participant` or `observer`; one alone is a standalone server',
  ),
  member('group.*', 'ids with colons', 'members that decide together; a majority of groups does'),
  member('weight.*', 'number', "how much a member's vote counts in its group; 0 is nothing"),
  member('version', 'hexadecimal', 'which reconfiguration these members come from'),
  honoured(
    'dynamicConfigFile',
    text,
    null,
    'the file with the members, which then may not stand here',
    (draft, value) => {
      draft.dynamicConfigFile = value;
    },
  ),
  honoured(
    'standaloneEnabled',
    trueOrFalse,
    'true',
    'false makes an ensemble even of one member',
    (draft, value) => {
      draft.standaloneEnabled = value;
    },
  ),
  honoured(
    'reconfigEnabled',
    trueOrFalse,
    'false',
    'whether members may be changed; with one server only the error differs',
    (draft, value) => {
      draft.server.replica.reconfigEnabled = value;
    },
  ),
  honoured(
    'peerType',
    oneOf({ participant: 'participant', observer: 'observer' } as const),
    null,
    'what this member is; its line decides, and a difference is warned about',
    (draft, value) => {
      draft.peerType = value;
    },
  ),
];

function member(name: string, type: string, about: string): ConfigurationKey {
  return { name, effect: 'honoured', type, default: null, about, apply() {} };
}
