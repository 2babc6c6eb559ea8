import { decodeUtf8, utf8, utf8SequenceBytes } from './jute/utf8.ts';

/** Why a path is not one (`PathUtils.java`); the answer to each is BADARGUMENTS. */
export const PathFault = {
  none: 0,
  empty: 1,
  noLeadingSlash: 2,
  trailingSlash: 3,
  nullCharacter: 4,
  emptyName: 5,
  relativeName: 6,
  invalidCharacter: 7,
} as const;

/** One of the faults. */
export type PathFault = (typeof PathFault)[keyof typeof PathFault];

/**
 * Checks a path, `bytes[start, end)`, as ZooKeeper checks the decoded string. Bytes that are not UTF-8
 * are an invalid character, since Java decodes them to U+FFFD.
 *
 * @returns 0 when it is valid, else the first fault in ZooKeeper's order, the ends before what lies
 *   between, and its place: see `pathFaultOf`, `pathFaultOffsetOf`
 */
export function checkPath(bytes: Uint8Array, start: number, end: number): number {
  if (end === start) return faultAt(PathFault.empty, 0);
  if (bytes[start] !== slash) return faultAt(PathFault.noLeadingSlash, 0);
  if (end - start === 1) return 0;
  if (bytes[end - 1] === slash) return faultAt(PathFault.trailingSlash, end - 1 - start);
  let nameStart = start + 1;
  for (let at = nameStart; at < end; ) {
    const byte = bytes[at] as number;
    const kind = kinds[byte] as number;
    if (kind === 0) {
      at++;
    } else if (kind === slashKind) {
      const result = nameFault(bytes, start, nameStart, at);
      if (result !== 0) return result;
      at++;
      nameStart = at;
    } else if (kind === controlKind) {
      return faultAt(byte === 0 ? PathFault.nullCharacter : PathFault.invalidCharacter, at - start);
    } else {
      const length = utf8SequenceBytes(bytes, at, end);
      if (length === 0 || isInvalid(bytes, at, length)) {
        return faultAt(PathFault.invalidCharacter, at - start);
      }
      at += length;
    }
  }
  return nameFault(bytes, start, nameStart, end);
}

/** The fault in what `checkPath` returned. */
export function pathFaultOf(result: number): PathFault {
  return (result % faultKinds) as PathFault;
}

/** Where the fault lies that `checkPath` returned, in bytes from the start of the path. */
export function pathFaultOffsetOf(result: number): number {
  return Math.floor(result / faultKinds);
}

/**
 * What is wrong with a path, in words: `Cannot use a path: current value is …`; null when nothing is.
 *
 * @param isSequential for the path of a sequential create, which may end with `/`: the number is
 *   appended before the path is checked
 */
export function describePathFault(path: string, isSequential: boolean = false): string | null {
  const bytes = utf8(isSequential ? `${path}1` : path);
  const result = checkPath(bytes, 0, bytes.length);
  if (result === 0) return null;
  const text = faultTexts[pathFaultOf(result)];
  const at = decodeUtf8(bytes, 0, pathFaultOffsetOf(result)).length;
  return `Cannot use a path: current value is ${JSON.stringify(path)}, ${text} ${at}`;
}

/** `/`, `/zookeeper`, `/zookeeper/quota`, `/zookeeper/config`: never deleted (`DataTree.isSpecialPath`). */
export function isSpecialPath(bytes: Uint8Array, start: number, end: number): boolean {
  for (const special of specialPaths) {
    if (special.length === end - start && isEqual(special, bytes, start)) return true;
  }
  return false;
}

/** Where the last name in `bytes[start, end)` starts: behind the last `/`. */
export function startOfName(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && bytes[at - 1] !== slash) at--;
  return at;
}

/** The bytes of the longest suffix of a sequential znode: `-2147483648`. */
export const sequentialSuffixBytesMax = 11;

/**
 * Appends the number of a sequential znode as Java's `%010d` prints an int: ten digits, or a minus
 * sign and nine.
 *
 * @param number the parent's count of children ever created, an int that turns negative after 2^31
 * @returns where the suffix ends; the caller has made room for `sequentialSuffixBytesMax`
 */
export function writeSequentialSuffix(number: number, target: Uint8Array, at: number): number {
  let rest = Math.abs(number);
  const digits = number < 0 && rest < 1e9 ? 9 : 10;
  const start = number < 0 ? at + 1 : at;
  if (number < 0) target[at] = minus;
  for (let i = start + digits - 1; i >= start; i--) {
    target[i] = zero + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return start + digits;
}

/** The suffix that `writeSequentialSuffix` writes, as text. */
export function formatSequentialSuffix(number: number): string {
  return number < 0 ? `-${String(-number).padStart(9, '0')}` : String(number).padStart(10, '0');
}

const slash = 0x2f;
const dot = 0x2e;
const minus = 0x2d;
const zero = 0x30;
const faultKinds = 16;

const faultTexts: Readonly<Record<PathFault, string>> = {
  [PathFault.none]: 'valid at',
  [PathFault.empty]: 'which is empty at',
  [PathFault.noLeadingSlash]: 'which must start with "/" at',
  [PathFault.trailingSlash]: 'which must not end with "/" as it does at',
  [PathFault.nullCharacter]: 'with a null character at',
  [PathFault.emptyName]: 'with an empty name at',
  [PathFault.relativeName]: 'with a "." or ".." at',
  [PathFault.invalidCharacter]: 'with a character that paths may not have at',
};

const specialPaths: readonly Uint8Array[] = [
  '/',
  '/zookeeper',
  '/zookeeper/quota',
  '/zookeeper/config',
].map(utf8);

/** What a byte is in a path: nothing special, or one of the kinds below. */
const kinds = new Uint8Array(256);
const slashKind = 1;
const controlKind = 2;
const multiByteKind = 3;
kinds.fill(controlKind, 0, 0x20);
kinds[0x7f] = controlKind;
kinds.fill(multiByteKind, 0x80);
kinds[slash] = slashKind;

function isEqual(path: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < path.length; i++) {
    if (path[i] !== bytes[start + i]) return false;
  }
  return true;
}

function faultAt(fault: PathFault, offset: number): number {
  return offset * faultKinds + fault;
}

function nameFault(bytes: Uint8Array, start: number, nameStart: number, at: number): number {
  const length = at - nameStart;
  if (length === 0) return faultAt(PathFault.emptyName, at - start);
  if (length > 2 || bytes[nameStart] !== dot || bytes[at - 1] !== dot) return 0;
  return faultAt(PathFault.relativeName, at - 1 - start);
}

/** Whether paths may not have the character that is this well-formed sequence of 2 to 4 bytes. */
function isInvalid(bytes: Uint8Array, at: number, length: number): boolean {
  // Characters beyond U+FFFF are surrogates to Java, and those are invalid.
  if (length === 4) return true;
  const lead = bytes[at] as number;
  const second = bytes[at + 1] as number;
  if (length === 2) return lead === 0xc2 && second <= 0x9f;
  const unit = ((lead & 0x0f) << 12) | ((second & 0x3f) << 6) | ((bytes[at + 2] as number) & 0x3f);
  return (unit >= 0xd800 && unit <= 0xf8ff) || unit >= 0xfff0;
}
