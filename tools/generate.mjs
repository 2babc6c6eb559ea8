// Writes packages/protocol/src/records/generated.ts from the schema. Run by `npm run generate`.
import { writeFileSync } from 'node:fs';
import { generateRecords } from '../packages/protocol/dist/records/generator.js';

const target = new URL('../packages/protocol/src/records/generated.ts', import.meta.url);
writeFileSync(target, generateRecords());
