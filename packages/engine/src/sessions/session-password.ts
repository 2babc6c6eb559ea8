/**
 * The password that goes with a session id: 16 bytes of `java.util.Random` seeded with the id, so
 * that every member of an ensemble, Java's too, knows it without asking
 * (`ZooKeeperServer.generatePasswd`). Owns the generator; keeps no state.
 */

/** `superSecret` of `ZooKeeperServer.java`. */
const secretLo = 0xb3415c00 | 0;

/** Bytes in a session password. */
export const passwordBytes = 16;

/** Writes the password of session `idHi:idLo` to `target[at, at + 16)`. */
export function writeSessionPassword(
  idHi: number,
  idLo: number,
  target: Uint8Array,
  at: number,
): void {
  // Java's secret is the long 0xB3415C00, so only the low half is touched. The generator keeps 48
  // bits: here the high and the low 24 of them.
  let high = (((idHi & 0xffff) << 8) | ((idLo ^ secretLo) >>> 24)) ^ multiplierHigh;
  let low = ((idLo ^ secretLo) & 0xffffff) ^ multiplierLow;
  for (let i = 0; i < passwordBytes; i += 4) {
    const product = low * multiplierLow + 0xb;
    const carry = Math.floor(product / two24);
    high = (high * multiplierLow + low * multiplierHigh + carry) % two24;
    low = product % two24;
    // The next 32 bits are the top 32 of 48; bytes come out lowest first.
    const bits = (high << 8) | (low >>> 16) | 0;
    target[at + i] = bits;
    target[at + i + 1] = bits >> 8;
    target[at + i + 2] = bits >> 16;
    target[at + i + 3] = bits >> 24;
  }
}

/** Whether `passwd` is the password of this session. Session 0 has none. */
export function isSessionPassword(idHi: number, idLo: number, passwd: Uint8Array | null): boolean {
  if (passwd === null || passwd.length !== passwordBytes) return false;
  if (idHi === 0 && idLo === 0) return false;
  writeSessionPassword(idHi, idLo, expected, 0);
  return expected.every((byte, i) => byte === passwd[i]);
}

// java.util.Random's multiplier 0x5DEECE66D in two halves of 24 bits.
const multiplierHigh = 0x5de;
const multiplierLow = 0xece66d;
const two24 = 0x1000000;
const expected = new Uint8Array(passwordBytes);
