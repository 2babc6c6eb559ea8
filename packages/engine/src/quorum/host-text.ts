/**
 * A host as Java prints it back (`InetSocketAddress.getHostString`): names as they were written, IPv6 literals
 * written out in full without leading zeros, IPv4-mapped ones as IPv4, short IPv4 forms completed.
 */
export function hostAsJavaPrintsIt(host: string): string {
  if (host.includes(':')) return ipv6AsJavaPrintsIt(host);
  if (/^\d+(\.\d+){0,3}$/.test(host)) return ipv4AsJavaPrintsIt(host);
  return host;
}

/** A host between the colons of an address: IPv6 in brackets. */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** Whether a host means every address of its machine, which is none that another could dial. */
export function isWildcardHost(host: string): boolean {
  return /^(0+(\.0+){0,3}|[0:]*:[0:]*)$/.test(host);
}

function ipv4AsJavaPrintsIt(host: string): string {
  const parts = host.split('.').map(Number);
  const last = parts.pop() ?? 0;
  const missing = 3 - parts.length;
  if (parts.some((part) => part > 255) || last >= 256 ** (missing + 1)) return host;
  for (let byte = missing; byte >= 0; byte--) parts.push(Math.floor(last / 256 ** byte) % 256);
  return parts.join('.');
}

function ipv6AsJavaPrintsIt(host: string): string {
  const [address = '', scope] = host.split('%');
  const halves = address.split('::');
  if (halves.length > 2) return host;
  const groups = halves.map(groupsOf);
  const missing = 8 - (groups[0]?.length ?? 0) - (groups[1]?.length ?? 0);
  if (halves.length === 1 ? missing !== 0 : missing < 1) return host;
  const all = [...(groups[0] ?? []), ...new Array<number>(missing).fill(0), ...(groups[1] ?? [])];
  if (all.some((group) => !(group >= 0 && group <= 0xffff))) return host;
  if (all[5] === 0xffff && all.slice(0, 5).every((group) => group === 0)) {
    const [high = 0, low = 0] = all.slice(6);
    return [high >> 8, high & 255, low >> 8, low & 255].join('.');
  }
  const text = all.map((group) => group.toString(16)).join(':');
  return scope === undefined ? text : `${text}%${scope}`;
}

/** The 16-bit groups in half an IPv6 address; NaN stands for what is none. */
function groupsOf(half: string): number[] {
  if (half === '') return [];
  return half.split(':').flatMap((group) => {
    const bytes = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(group)?.slice(1).map(Number);
    if (bytes !== undefined) {
      const [a = 0, b = 0, c = 0, d = 0] = bytes;
      return bytes.every((byte) => byte <= 255) ? [a * 256 + b, c * 256 + d] : [Number.NaN];
    }
    return /^[0-9a-f]{1,4}$/i.test(group) ? [Number.parseInt(group, 16)] : [Number.NaN];
  });
}
