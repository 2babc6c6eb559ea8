import { schema } from './schema.ts';

/** The text of `generated.ts`: an interface, a reader and a writer for each record of the schema. */
export function generateRecords(): string {
  const records = Object.entries(schema).map(([name, fields]) => generateRecord(name, fields));
  return `${header}\n${records.join('\n')}`;
}

const header = `// Generated from schema.ts by \`npm run generate\`. Do not edit: a test compares.
import type { Zxid } from '../ids.ts';
import type { JuteReader } from '../jute/jute-reader.ts';
import type { JuteWriter } from '../jute/jute-writer.ts';
`;

type Fields = Readonly<Record<string, string>>;

interface ScalarType {
  readonly type: string;
  readonly read: string;
  readonly write: string;
  readonly bytesMin: number;
}

const scalars: Readonly<Record<string, ScalarType>> = {
  byte: { type: 'number', read: 'readByte', write: 'writeByte', bytesMin: 1 },
  int: { type: 'number', read: 'readInt', write: 'writeInt', bytesMin: 4 },
  boolean: { type: 'boolean', read: 'readBoolean', write: 'writeBoolean', bytesMin: 1 },
  zxid: { type: 'Zxid', read: 'readSafeLong', write: 'writeLongFromDouble', bytesMin: 8 },
  time: { type: 'number', read: 'readSafeLong', write: 'writeLongFromDouble', bytesMin: 8 },
  loose: { type: 'number', read: 'readLongAsDouble', write: 'writeLongFromDouble', bytesMin: 8 },
  buffer: { type: 'Uint8Array | null', read: 'readBuffer', write: 'writeBuffer', bytesMin: 4 },
  ustring: { type: 'string', read: 'readString', write: 'writeString', bytesMin: 4 },
  'ustring?': {
    type: 'string | null',
    read: 'readNullableString',
    write: 'writeString',
    bytesMin: 4,
  },
};

function generateRecord(name: string, fields: Fields): string {
  const entries = Object.entries(fields);
  return [
    `/** ${name}: ${entries.map(([field, type]) => `${field} ${type}`).join(', ')}. */`,
    `export interface ${name} {`,
    ...entries.flatMap(([field, type]) => declareField(field, type)),
    '}',
    '',
    `/** Reads a ${name}. Throws JuteError when the bytes are not one. */`,
    `export function read${name}(reader: JuteReader): ${name} {`,
    ...entries.flatMap(([field, type]) => readField(field, type)),
    `  return { ${entries.flatMap(([field, type]) => names(field, type)).join(', ')} };`,
    '}',
    '',
    `/** Writes a ${name}. */`,
    `export function write${name}(writer: JuteWriter, value: ${name}): void {`,
    ...entries.flatMap(([field, type]) => writeField(field, type)),
    '}',
    '',
  ].join('\n');
}

function names(field: string, type: string): string[] {
  return type === 'long' ? [`${field}Hi`, `${field}Lo`] : [field];
}

function declareField(field: string, type: string): string[] {
  const declared = type === 'long' ? 'number' : typeScriptType(type);
  return names(field, type).map((name) => `  readonly ${name}: ${declared};`);
}

function typeScriptType(type: string): string {
  if (type.endsWith('[]')) return `readonly ${typeScriptType(type.slice(0, -2))}[] | null`;
  return scalars[type]?.type ?? recordName(type);
}

function readField(field: string, type: string): string[] {
  if (type === 'long')
    return names(field, type).map((name) => `  const ${name} = reader.readInt();`);
  if (!type.endsWith('[]')) return [`  const ${field} = ${readCall(type)};`];
  const item = type.slice(0, -2);
  return [
    `  const ${field}Count = reader.readVectorCount(${bytesMin(item)});`,
    `  const ${field}: ${typeScriptType(item)}[] | null = ${field}Count === -1 ? null : [];`,
    `  for (let i = 0; i < ${field}Count; i++) ${field}?.push(${readCall(item)});`,
  ];
}

function writeField(field: string, type: string): string[] {
  if (type === 'long') return [`  writer.writeLong(value.${field}Hi, value.${field}Lo);`];
  if (!type.endsWith('[]')) return [`  ${writeCall(type, `value.${field}`)};`];
  return [
    `  writer.writeInt(value.${field} === null ? -1 : value.${field}.length);`,
    `  if (value.${field} !== null) {`,
    `    for (const item of value.${field}) ${writeCall(type.slice(0, -2), 'item')};`,
    '  }',
  ];
}

function readCall(type: string): string {
  const scalar = scalars[type];
  if (scalar === undefined) return `read${recordName(type)}(reader)`;
  const cast = type === 'zxid' ? ' as Zxid' : '';
  return `reader.${scalar.read}()${cast}`;
}

function writeCall(type: string, value: string): string {
  const scalar = scalars[type];
  if (scalar === undefined) return `write${recordName(type)}(writer, ${value})`;
  return `writer.${scalar.write}(${value})`;
}

function recordName(type: string): string {
  if (schema[type] === undefined)
    throw new Error(`Cannot generate a field: current type is ${type}`);
  return type;
}

/** What one value takes at least: bounds a vector's count before anything is allocated. */
function bytesMin(type: string): number {
  if (type === 'long') return 8;
  if (type.endsWith('[]')) return 4;
  const fields = schema[type];
  if (fields === undefined) return scalars[type]?.bytesMin ?? 1;
  return Object.values(fields).reduce((sum, field) => sum + bytesMin(field), 0);
}
