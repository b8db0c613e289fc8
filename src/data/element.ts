/**
 * Elements of an OR set: each add of one is a row of its own, whose `sub` is a hash of the element, then the tag of the
 * add: its stamp. So all adds of an element lie together, and a remove names the tags that it has observed. The hash only
 * says where to look: of two elements with one hash the values tell which is which.
 */
import { FNV_OFFSET, FNV_PRIME } from "./hash.ts";
import { formatStamp, parseStamp, type Stamp } from "./hlc.ts";

/** Hex digits of the hash, with which a `sub` begins. */
const HASH_LENGTH = 16;

/** Any other odd number would do: what two lanes have in common is less than what one has. */
const SECOND_PRIME = 0x85ebca6b;

/** Frozen: two nodes must put the same add under the same identity. */
export function elementHash(value: Uint8Array): string {
  let one = FNV_OFFSET;
  let other = value.length;
  for (const byte of value) {
    one = Math.imul(one ^ byte, FNV_PRIME);
    other = Math.imul(other ^ byte ^ (other >>> 15), SECOND_PRIME);
  }
  return hex(one) + hex(other ^ (other >>> 13));
}

const hex = (lane: number): string => (lane >>> 0).toString(16).padStart(8, "0");

export const elementSub = (value: Uint8Array, tag: Stamp): string =>
  elementHash(value) + formatStamp(tag);

export const hashIn = (sub: string): string => sub.slice(0, HASH_LENGTH);

/** The hash before it; null: it is the first. */
export function hashBefore(hash: string): string | null {
  const number = BigInt(`0x${hash}`);
  return number === 0n ? null : (number - 1n).toString(16).padStart(hash.length, "0");
}

/** As `elementHash` makes them. */
export const isElementHash = (text: string): boolean =>
  text.length === HASH_LENGTH && /^[0-9a-f]*$/.test(text);

/** Null: not as `elementSub` makes them. */
export function tagIn(sub: string): Stamp | null {
  if (!isElementHash(hashIn(sub))) return null;
  const tag = parseStamp(sub.slice(HASH_LENGTH));
  return tag.ok ? tag.value : null;
}
