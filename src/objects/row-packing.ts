/**
 * Rows on their way to SQLite: one blob of all their bytes, and for each a head of decimal digits that says
 * where its parts lie in it. To bind every column of every row costs more than to write them.
 */
import { assert } from "../data/assert.ts";
import { encodeStamp } from "../data/hlc.ts";
import { utf8Length } from "../data/text.ts";
import type { Identity } from "../data/row.ts";
import type { StoredRow } from "../core/rows/row-store.ts";

export type SqlBinding = string | number | Uint8Array | null;

/** Of a number in a head: its first character, from 1, and how many it has. */
export type Part = readonly [at: number, length: number];

/** Positions count from 1, lengths bytes. */
export const HEAD = {
  stampAt: [1, 7],
  stamp: [8, 2],
  textAt: [10, 7],
  key: [17, 4],
  sub: [21, 4],
  valueAt: [25, 7],
  value: [32, 7],
  expiresAt: [39, 15],
} as const;

export const IDENTITY_HEAD = { textAt: [1, 7], key: [8, 4], sub: [12, 4] } as const;

export const NO_VALUE = "0".repeat(HEAD.valueAt[1]);
export const NEVER = "-".repeat(HEAD.expiresAt[1]);

/** Of a pack of more than one row, its heads included: what SQLite takes as one value ends at 2 MB. */
const PACK_BYTES_MAX = 1024 * 1024;

/** Of a row in a list of heads: its digits, and what stands around them. */
const HEAD_BYTES = HEAD.expiresAt[0] + HEAD.expiresAt[1] - 1 + 3;

interface Pack {
  /** A list of heads in JSON. */
  readonly heads: string;
  readonly blob: Uint8Array;
}

/** Items, and their sizes in all. */
interface Run<T> {
  readonly items: readonly T[];
  readonly size: number;
}

/** Rows that one statement can write: of one map and kind, with change counters that follow each other. */
export const runsOfRows = (rows: readonly StoredRow[]): Run<StoredRow>[] =>
  runsOf(rows, follows, { sizeOf, sizeMax: PACK_BYTES_MAX });

const follows = (last: StoredRow, next: StoredRow): boolean =>
  next.seq === last.seq + 1 && next.row.map === last.row.map && next.row.kind === last.row.kind;

/** Items that belong together and follow each other, until they become too many. */
export function runsOf<T>(
  items: readonly T[],
  belongs: (last: T, next: T) => boolean,
  { sizeOf: sizeOfItem, sizeMax }: { sizeOf: (item: T) => number; sizeMax: number },
): Run<T>[] {
  const runs: { items: T[]; size: number }[] = [];
  let last: T | undefined;
  for (const next of items) {
    const size = sizeOfItem(next);
    const run = runs.at(-1);
    if (run && last !== undefined && run.size + size <= sizeMax && belongs(last, next)) {
      run.items.push(next);
      run.size += size;
    } else runs.push({ items: [next], size });
    last = next;
  }
  return runs;
}

/** In the order of the columns. */
export function bindRow({ row, seq }: StoredRow): SqlBinding[] {
  const { map, key, kind, sub, stamp, value, expiresAt } = row;
  return [map, key, kind, sub, encodeStamp(stamp), value, expiresAt, seq];
}

/** Identities of one map and kind, at most so many that their packs stay small. */
export function packIdentities(identities: readonly Identity[]): Pack {
  const size = identities.reduce((sum, { key, sub }) => sum + utf8Length(key) + utf8Length(sub), 0);
  const blob = new Uint8Array(size + 1); // bound as NULL if it were empty
  let at = 0;
  const heads = identities.map(({ key, sub }) => {
    const textAt = at + 1;
    const keyBytes = writeText(blob, at, key);
    const subBytes = writeText(blob, at + keyBytes, sub);
    at += keyBytes + subBytes;
    return digits(textAt * 1e8 + keyBytes * 1e4 + subBytes, 15);
  });
  return { heads: listOf(heads), blob };
}

export function packRows({ items, size }: Run<StoredRow>): Pack {
  const blob = new Uint8Array(size - items.length * HEAD_BYTES);
  let at = 0;
  const heads = items.map(({ row }) => {
    const { key, sub, value, expiresAt } = row;
    const stamp = encodeStamp(row.stamp);
    const stampAt = at + 1;
    blob.set(stamp, at);
    const textAt = (at += stamp.length) + 1;
    const keyBytes = writeText(blob, at, key);
    const subBytes = writeText(blob, at + keyBytes, sub);
    const valueAt = (at += keyBytes + subBytes) + 1;
    if (value) blob.set(value, at);
    at += value?.length ?? 0;
    return (
      digits(stampAt * 100 + stamp.length, 9) +
      digits(textAt * 1e8 + keyBytes * 1e4 + subBytes, 15) +
      (value ? digits(valueAt * 1e7 + value.length, 14) : NO_VALUE.padEnd(14, "0")) +
      (expiresAt === null ? NEVER : digits(expiresAt, 15))
    );
  });
  assert(at <= blob.length && at < 1e7, "a position has 7 digits");
  return { heads: listOf(heads), blob };
}

const listOf = (heads: readonly string[]): string => `["${heads.join('","')}"]`;

const digits = (n: number, length: number): string => String(n).padStart(length, "0");

/** Bytes in a pack. */
function sizeOf({ row: { key, sub, stamp, value } }: StoredRow): number {
  const text = utf8Length(key) + utf8Length(sub);
  return HEAD_BYTES + text + stamp.node.length + 8 + (value?.length ?? 0);
}

const utf8 = new TextEncoder();

/** Returns how many bytes it took. */
function writeText(blob: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return utf8.encodeInto(text, blob.subarray(at)).written;
    blob[at + i] = unit;
  }
  return text.length;
}
