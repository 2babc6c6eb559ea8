import { type ErrorRow, errorTable } from './errors.ts';

/** The text of `docs/errors.md`, from the error table. */
export function generateErrorsPage(): string {
  return `${head}${errorTable.map(rowText).join('')}`;
}

const head = `<!-- Generated from packages/protocol/src/errors.ts by \`npm run generate\`. Do not edit: a test compares. -->
# Error codes

What a server answers and what a client reports, as ZooKeeper numbers and names it (\`KeeperException.Code\`).
A reply with a code other than 0 has no body, except that of a multi, whose parts carry codes of their own.

| code | name | meaning |
|---:|---|---|
`;

function rowText({ code, name, meaning }: ErrorRow): string {
  return `| ${code} | ${name} | ${meaning} |\n`;
}
