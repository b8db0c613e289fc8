/**
 * Rows on their way to SQLite: one blob of all their bytes, and for each a head of decimal digits that says
 * where its parts lie in it. To bind every column of every row costs more than to write them.
 */
import { assert } from "../data/assert.ts";
import { encodeStamp } from "../data/hlc.ts";
import { utf8Length } from "../data/text.ts";
import type { StoredRow } from "../core/rows/row-store.ts";

/** First character (from 1) and length of each number in a head. Positions count from 1, lengths bytes. */
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

export const NO_VALUE = "0".repeat(HEAD.valueAt[1]);
export const NEVER = "-".repeat(HEAD.expiresAt[1]);

/** Of a pack of more than one row: what SQLite takes as one value ends at 2 MB. */
const PACK_BYTES_MAX = 1024 * 1024;

export interface Pack {
  /** A list of heads in JSON. */
  readonly heads: string;
  readonly blob: Uint8Array;
}

/** Rows that one statement can write: of one map and kind, with change counters that follow each other. */
export function runsOf(rows: readonly StoredRow[]): StoredRow[][] {
  const runs: StoredRow[][] = [];
  let run: StoredRow[] = [];
  let bytes = 0;
  for (const next of rows) {
    const last = run.at(-1);
    const size = sizeOf(next);
    if (last && follows(last, next) && bytes + size <= PACK_BYTES_MAX) {
      run.push(next);
      bytes += size;
    } else {
      runs.push((run = [next]));
      bytes = size;
    }
  }
  return runs;
}

const follows = (last: StoredRow, next: StoredRow): boolean =>
  next.seq === last.seq + 1 && next.row.map === last.row.map && next.row.kind === last.row.kind;

export function packRun(run: readonly StoredRow[]): Pack {
  const blob = new Uint8Array(run.reduce((sum, row) => sum + sizeOf(row), 0));
  let at = 0;
  const heads = run.map(({ row }) => {
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
  return { heads: `["${heads.join('","')}"]`, blob };
}

const digits = (n: number, length: number): string => String(n).padStart(length, "0");

/** At least. */
function sizeOf({ row: { key, sub, stamp, value } }: StoredRow): number {
  return utf8Length(key) + utf8Length(sub) + stamp.node.length + 8 + (value?.length ?? 0);
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
