/**
 * Elements of an OR set: each add of one is a row of its own, whose `sub` is a hash of the element, then the tag of the
 * add: its stamp. So all adds of an element lie together, and a remove names the tags that it has observed. The hash only
 * says where to look: of two elements with one hash the values tell which is which.
 */
import { elementHash, HASH_LENGTH, isElementHash } from "./element-hash.ts";
import { formatStamp, parseStamp, type Stamp } from "./hlc.ts";

export const elementSub = (value: Uint8Array, tag: Stamp): string =>
  elementHash(value) + formatStamp(tag);

export const hashIn = (sub: string): string => sub.slice(0, HASH_LENGTH);

/** Null: not as `elementSub` makes them. */
export function tagIn(sub: string): Stamp | null {
  if (!isElementHash(hashIn(sub))) return null;
  const tag = parseStamp(sub.slice(HASH_LENGTH));
  return tag.ok ? tag.value : null;
}
