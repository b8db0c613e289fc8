/** A stored row as SQLite gives it, and back. */
import { assert } from "../data/assert.ts";
import { decodeStamp, encodeStamp, type Stamp } from "../data/hlc.ts";
import { Seq } from "../data/ids.ts";
import type { Identity, RowKind } from "../data/row.ts";
import type { StoredRow } from "../core/rows/row-store.ts";

/** What a row has beside its identity. */
export type Content = [
  stamp: ArrayBuffer,
  value: ArrayBuffer | null,
  expiresAt: number | null,
  seq: number,
];
export type Columns = [map: string, key: string, kind: RowKind, sub: string, ...Content];

export type SqlBinding = string | number | Uint8Array | null;

export function storedRow([map, key, kind, sub, ...content]: Columns): StoredRow {
  return withContent({ map, key, kind, sub }, content);
}

export function withContent({ map, key, kind, sub }: Identity, content: Content): StoredRow {
  const [stamp, value, expiresAt, seq] = content;
  return {
    row: {
      map,
      key,
      kind,
      sub,
      stamp: storedStamp(stamp),
      value: value && new Uint8Array(value),
      expiresAt,
    },
    seq: Seq(seq),
  };
}

export function bindingsOf({ row, seq }: StoredRow): SqlBinding[] {
  const { map, key, kind, sub, stamp, value, expiresAt } = row;
  return [map, key, kind, sub, encodeStamp(stamp), value, expiresAt, seq];
}

function storedStamp(bytes: ArrayBuffer): Stamp {
  const stamp = decodeStamp(new Uint8Array(bytes));
  assert(stamp.ok, "stored stamps were encoded here");
  return stamp.value;
}
