/** By which the elements of a set are found, and in whose order they are listed. */
import { FNV_OFFSET, FNV_PRIME } from "./hash.ts";

/** Hex digits of the hash, with which a `sub` begins. */
export const HASH_LENGTH = 16;

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

/** The hash before it; null: it is the first. */
export function hashBefore(hash: string): string | null {
  const number = BigInt(`0x${hash}`);
  return number === 0n ? null : (number - 1n).toString(16).padStart(hash.length, "0");
}

/** As `elementHash` makes them. */
export const isElementHash = (text: string): boolean =>
  text.length === HASH_LENGTH && /^[0-9a-f]*$/.test(text);
