/** A range of addresses. */
export interface IpRange {
  readonly version: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
}

const IPV4 = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;
const IPV6_GROUP = /^[0-9a-f]{1,4}$/i;

/**
 * range = address [ "/" prefix ], an address alone being a range of one
 * @returns undefined for text of another form
 * @see RFC 4632, RFC 4291
 */
export function parseIpRange(text: string): IpRange | undefined {
  const [address = '', prefix, ...more] = text.split('/');
  if (more.length > 0) return undefined;
  const version = address.includes(':') ? 6 : 4;
  const bits = version === 4 ? 32 : 128;
  const value = version === 4 ? parseIpv4(address) : parseIpv6(address);
  if (value === undefined) return undefined;
  if (prefix !== undefined && !(/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits)) return undefined;
  const host = 2n ** BigInt(bits - (prefix === undefined ? bits : Number(prefix))) - 1n;
  return { version, first: value & ~host, last: value | host };
}

/** Whether the whole of `inner` lies in `outer`. */
export function isIpRangeWithin(inner: IpRange, outer: IpRange): boolean {
  return inner.version === outer.version && inner.first >= outer.first && inner.last <= outer.last;
}

function parseIpv4(address: string): bigint | undefined {
  const octets = IPV4.exec(address)?.slice(1).map(Number);
  if (octets === undefined || octets.some((octet) => octet > 255)) return undefined;
  return octets.reduce((value, octet) => value * 256n + BigInt(octet), 0n);
}

function parseIpv6(address: string): bigint | undefined {
  const halves = address.split('::');
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const given = [...head, ...tail];
  if (!given.every((group) => IPV6_GROUP.test(group))) return undefined;
  const missing = 8 - given.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array<string>(missing).fill('0'), ...tail];
  return groups.reduce((value, group) => value * 65536n + BigInt(`0x${group}`), 0n);
}

/** The text of one address. */
export function formatIpAddress(version: 4 | 6, value: bigint): string {
  const [parts, bits] = version === 4 ? [4, 8n] : [8, 16n];
  const groups = Array.from(
    { length: parts },
    (_, index) => (value >> (BigInt(parts - 1 - index) * bits)) % (1n << bits),
  );
  return version === 4 ? groups.join('.') : groups.map((group) => group.toString(16)).join(':');
}
