/** A stored row as SQLite gives it, and back. */
import { assert } from "../data/assert.ts";
import { decodeStamp, type Stamp } from "../data/hlc.ts";
import { Seq } from "../data/ids.ts";
import { rowBytes, type Identity, type Row, type RowKind } from "../data/row.ts";
import type { StoredRow } from "../core/rows/row-store.ts";

/** What a row has beside its identity. */
export type Content = [
  stamp: ArrayBuffer,
  value: ArrayBuffer | null,
  expiresAt: number | null,
  seq: number,
];
/** What `selectRange` says of a row beside its bytes. */
export type Head = [
  map: string,
  key: string,
  kind: RowKind,
  sub: string,
  stampLength: number,
  /** Of the value; null: there is none. */
  length: number | null,
  isCut: 0 | 1,
  expiresAt: number | null,
  seq: number,
];

export type SqlBinding = string | number | Uint8Array | null;

export interface Found {
  readonly row: StoredRow;
  /** Its value is long and not here. */
  readonly isCut: boolean;
  /** `rowBytes`, with the value. */
  readonly bytes: number;
}

export function foundRows(heads: string, blob: ArrayBuffer | null): Found[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as `selectRange` makes them
  const list = JSON.parse(heads) as Head[];
  const bytes = blob ? new Uint8Array(blob) : new Uint8Array();
  let at = 0;
  return list.map(([map, key, kind, sub, stampLength, length, cut, expiresAt, seq]) => {
    const isCut = cut === 1;
    const stamp = storedStamp(bytes.subarray(at, (at += stampLength)));
    const isHere = length !== null && !isCut;
    const value = isHere ? bytes.subarray(at, (at += length)) : null;
    const row: Row = { map, key, kind, sub, stamp, value, expiresAt };
    return {
      row: { row, seq: Seq(seq) },
      isCut,
      bytes: rowBytes(row) + (isCut ? (length ?? 0) : 0),
    };
  });
}

export function withContent({ map, key, kind, sub }: Identity, content: Content): StoredRow {
  const [stamp, value, expiresAt, seq] = content;
  return {
    row: {
      map,
      key,
      kind,
      sub,
      stamp: storedStamp(new Uint8Array(stamp)),
      value: value && new Uint8Array(value),
      expiresAt,
    },
    seq: Seq(seq),
  };
}

function storedStamp(bytes: Uint8Array): Stamp {
  const stamp = decodeStamp(bytes);
  assert(stamp.ok, "stored stamps were encoded here");
  return stamp.value;
}
