/** Rows as the statements answer them: heads in JSON, and all their bytes in one blob. */
import { assert } from "../data/assert.ts";
import { decodeStamp, type Stamp } from "../data/hlc.ts";
import { Seq } from "../data/ids.ts";

/** `Rest` is what says which row it is. */
type Head<Rest extends readonly unknown[]> = [
  stampLength: number,
  /** Of the value; null: there is none. */
  length: number | null,
  isCut: 0 | 1,
  expiresAt: number | null,
  seq: number,
  ...Rest,
];

export type Answer = [heads: string, blob: ArrayBuffer | null];

export type SqlBinding = string | number | Uint8Array | null;

/** What a row has beside its identity. */
export interface Content {
  readonly stamp: Stamp;
  readonly value: Uint8Array | null;
  readonly expiresAt: number | null;
}

export interface Found<Rest> {
  readonly rest: Rest;
  readonly content: Content;
  readonly seq: Seq;
  /** Of a value that is too long to be here; 0: nothing is missing. */
  readonly cutBytes: number;
}

export function readAnswer<Rest extends readonly unknown[]>([heads, blob]: Answer): Found<Rest>[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as `asOne` makes them
  const list = JSON.parse(heads) as Head<Rest>[];
  const bytes = blob ? new Uint8Array(blob) : new Uint8Array();
  let at = 0;
  return list.map(([stampLength, length, isCut, expiresAt, seq, ...rest]) => {
    const stamp = storedStamp(bytes.subarray(at, (at += stampLength)));
    const isHere = length !== null && isCut === 0;
    const value = isHere ? bytes.subarray(at, (at += length)) : null;
    const cutBytes = isCut === 1 ? (length ?? 0) : 0;
    return { rest, content: { stamp, value, expiresAt }, seq: Seq(seq), cutBytes };
  });
}

function storedStamp(bytes: Uint8Array): Stamp {
  const stamp = decodeStamp(bytes);
  assert(stamp.ok, "stored stamps were encoded here");
  return stamp.value;
}
