/**
 * What one replica has added to a PN counter, and what it has taken away: a row each, since of two totals of one side the
 * greater one is the later one. So a counter needs no merge of its own, and whoever copies or compares rows nothing but
 * rows. A total says all there was, so its row needs no stamp: all have the same (`count-stamp.ts`).
 */
import { err, ok, type Result } from "./result.ts";

/** Of a counter, and of one replica of it: whole, never less than 0. */
export interface Count {
  readonly inc: number;
  readonly dec: number;
}

export const SIDES = ["inc", "dec"] as const;
type Side = (typeof SIDES)[number];

const SIGNS: Readonly<Record<Side, string>> = { inc: "+", dec: "-" };

const TOTAL_BYTES = 8;

/** No id of a replica has a `+` in it, so the rows of one lie together. */
export const countSub = (replica: string, side: Side): string => replica + SIGNS[side];

/** Null: not as `countSub` makes them. */
export function sideIn(sub: string): { readonly replica: string; readonly side: Side } | null {
  const match = /^([A-Za-z0-9._/-]{1,128})([+-])$/.exec(sub);
  const [, replica, sign] = match ?? [];
  return replica === undefined ? null : { replica, side: sign === SIGNS.inc ? "inc" : "dec" };
}

/** 8 bytes, big endian, so that the greater number has the greater bytes. */
export function encodeTotal(total: number): Uint8Array {
  const bytes = new Uint8Array(TOTAL_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(total));
  return bytes;
}

export function decodeTotal(bytes: Uint8Array): Result<number, "malformed"> {
  if (bytes.length !== TOTAL_BYTES) return err("malformed");
  const total = new DataView(bytes.buffer, bytes.byteOffset, TOTAL_BYTES).getBigUint64(0);
  return total <= BigInt(Number.MAX_SAFE_INTEGER) ? ok(Number(total)) : err("malformed");
}
