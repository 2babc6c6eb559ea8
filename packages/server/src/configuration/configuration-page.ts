import type { ConfigurationKey, Effect } from './configuration-key.ts';
import { keyGroups } from './key-table.ts';

const introduction = `# Configuration

<!-- Made from the table of keys in packages/server; a test compares. -->

\`meerkat server zoo.cfg\` reads ZooKeeper's configuration file: Java properties, every key of
ZooKeeper's servers. \`zookeeper.\` may stand before any key, also before those that Java takes only
from its command line. A wrong value stops the start with file, line, key, value and what to do (exit
code 2); an unknown key is warned about.

\`meerkat server <port> <dataDir> [tickTime] [maxClientCnxns]\` needs no file.

| Effect | Meaning |
|---|---|
| honoured | does what it does in ZooKeeper |
| no effect | what it sets does not exist here; the reason stands beside it |
| later | what it sets is not built yet; the server works without it and warns |
| refused | guards security and is not built yet: the server does not start with it |
`;

/** \`docs/configuration.md\`: every key, from the table that the server reads by. */
export function renderConfigurationPage(): string {
  const sections = keyGroups.map(({ title, keys }) => {
    const rows = keys.map(row).join('\n');
    return `## ${title}\n\n| Key | Effect | Type | Default | What for, or why not |\n|---|---|---|---|---|\n${rows}\n`;
  });
  return `${introduction}\n${sections.join('\n')}`;
}

function row(key: ConfigurationKey): string {
  const { effect, name, type, about } = key;
  const fallback = key.default === null ? '' : code(key.default);
  const text = effect === 'refused' ? `asks for ${about}` : about;
  return `| ${code(name)} | ${effectText[effect]} | ${cell(type)} | ${fallback} | ${cell(text)} |`;
}

const effectText: Readonly<Record<Effect, string>> = {
  honoured: 'honoured',
  'no effect': 'no effect',
  later: 'later',
  refused: '**refused**',
};

function code(text: string): string {
  return text === '' ? '(empty)' : `\`${text}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
