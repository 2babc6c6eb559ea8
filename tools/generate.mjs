// Writes what is made from tables in packages/protocol: the record codecs from the schema, docs/errors.md from
// the error table. Run by `npm run generate`.
import { writeFileSync } from 'node:fs';
import { generateErrorsPage } from '../packages/protocol/dist/errors-page.js';
import { generateRecords } from '../packages/protocol/dist/records/generator.js';

const root = new URL('../', import.meta.url);
writeFileSync(new URL('packages/protocol/src/records/generated.ts', root), generateRecords());
writeFileSync(new URL('docs/errors.md', root), generateErrorsPage());
