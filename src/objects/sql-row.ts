/** Rows as the statements answer them: heads in JSON, and all their bytes in one blob. */
import { assert } from "../data/assert.ts";
import { decodeStamp, type Stamp } from "../data/hlc.ts";
import { Seq } from "../data/ids.ts";
import type { Identity } from "../data/row.ts";
import type { StoredRow } from "../core/rows/row-store.ts";
import { SHORT_VALUE_BYTES_MAX } from "./sql-row-statements.ts";

/** Of `selectRow`. */
export type RowColumns = [
  stamp: ArrayBuffer,
  value: ArrayBuffer | null,
  expiresAt: number | null,
  seq: number,
];

/** `Which` says which row it is. */
type Head<Which extends readonly unknown[]> = [
  stampLength: number,
  /** Of the value; null: there is none. */
  length: number | null,
  expiresAt: number | null,
  seq: number,
  ...Which,
];

export type Answer = [heads: string, blob: ArrayBuffer | null];

/** A row without its identity. */
export interface Found<Which> {
  readonly which: Which;
  readonly stamp: Stamp;
  /** Null also where it is long: see `isCut`. */
  readonly value: Uint8Array | null;
  readonly length: number | null;
  readonly expiresAt: number | null;
  readonly seq: Seq;
}

export function readAnswer<Which extends readonly unknown[]>([
  heads,
  blob,
]: Answer): Found<Which>[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as `asOne` makes them
  const list = JSON.parse(heads) as Head<Which>[];
  const bytes = blob ? new Uint8Array(blob) : new Uint8Array();
  let at = 0;
  return list.map(([stampLength, length, expiresAt, seq, ...which]) => {
    const stamp = storedStamp(bytes.subarray(at, (at += stampLength)));
    const isHere = length !== null && length <= SHORT_VALUE_BYTES_MAX;
    const value = isHere ? bytes.subarray(at, (at += length)) : null;
    return { which, stamp, value, length, expiresAt, seq: Seq(seq) };
  });
}

export const isCut = ({ value, length }: Found<unknown>): boolean =>
  value === null && length !== null;

export function rowOf(identity: Identity, [stamp, value, expiresAt, seq]: RowColumns): StoredRow {
  const { map, key, kind, sub } = identity;
  const content = {
    stamp: storedStamp(new Uint8Array(stamp)),
    value: value && new Uint8Array(value),
    expiresAt,
  };
  return { row: { map, key, kind, sub, ...content }, seq: Seq(seq) };
}

function storedStamp(bytes: Uint8Array): Stamp {
  const stamp = decodeStamp(bytes);
  assert(stamp.ok, "stored stamps were encoded here");
  return stamp.value;
}
