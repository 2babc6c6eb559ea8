import type { ConfigurationKey } from './configuration-key.ts';
import { basicKeys } from './keys/basic-keys.ts';
import { ensembleKeys } from './keys/ensemble-keys.ts';
import { requestKeys } from './keys/request-keys.ts';
import { securityKeys } from './keys/security-keys.ts';
import { storageKeys } from './keys/storage-keys.ts';
import { surroundingsKeys } from './keys/surroundings-keys.ts';

/** Keys that belong together, under a heading of the documentation. */
export interface KeyGroup {
  readonly title: string;
  readonly keys: readonly ConfigurationKey[];
}

/** Every key that ZooKeeper's servers know, in the order of the documentation. */
export const keyGroups: readonly KeyGroup[] = [
  { title: 'Ports, directories, time', keys: basicKeys },
  { title: 'Logs and snapshots', keys: storageKeys },
  { title: 'Requests and the data model', keys: requestKeys },
  { title: 'Authentication and secrecy', keys: securityKeys },
  { title: 'Ensembles', keys: ensembleKeys },
  { title: 'Surroundings', keys: surroundingsKeys },
];

const exactKeys = new Map<string, ConfigurationKey>();
const prefixKeys: { readonly prefix: string; readonly key: ConfigurationKey }[] = [];
for (const key of keyGroups.flatMap((group) => group.keys)) {
  if (key.name.endsWith('*')) prefixKeys.push({ prefix: key.name.slice(0, -1), key });
  else exactKeys.set(key.name, key);
}
// The longest prefix decides: ssl.quorum. before ssl.
prefixKeys.sort((a, b) => b.prefix.length - a.prefix.length);

const propertyPrefix = 'zookeeper.';

/** The key that a name in zoo.cfg stands for, with or without `zookeeper.`; null when there is none. */
export function findKey(name: string): ConfigurationKey | null {
  const plain = name.startsWith(propertyPrefix) ? name.slice(propertyPrefix.length) : name;
  const exact = exactKeys.get(plain);
  if (exact !== undefined) return exact;
  for (const { prefix, key } of prefixKeys) {
    if (plain.startsWith(prefix) && plain.length > prefix.length) return key;
  }
  return null;
}
