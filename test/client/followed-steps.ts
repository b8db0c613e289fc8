/** What may happen to a set and a counter under one key that are followed, and what they are at their owner. */
import fc from "fast-check";
import { expect } from "vitest";
import type { Outcome } from "../../src/client/machine/ask.ts";
import { COUNT_STAMP } from "../../src/data/count-stamp.ts";
import { countSub, decodeTotal, encodeTotal, type Count } from "../../src/data/count.ts";
import { elementSub } from "../../src/data/element.ts";
import { PartitionId } from "../../src/data/ids.ts";
import type { Row } from "../../src/data/row.ts";
import { makeError } from "../../src/protocol/errors.ts";
import { decodeJson, encodeJson } from "../../src/protocol/values.ts";
import { record } from "../actions.ts";

export const P = PartitionId(0);
export const OF = { map: "m", key: "k" };
export const SALT = { a: 1, b: 2 };
export const [MINE, THEIRS] = ["mine", "theirs"];

const value = fc.constantFrom("x", "y", "z");
const which = fc.nat(5);
const by = fc.integer({ min: -3, max: 3 });
const ttl = fc.constantFrom(null, null, null, 20);
export const action = fc.oneof(
  { weight: 4, arbitrary: record("add", { value, ttl }) },
  { weight: 4, arbitrary: record("delete", { value }) },
  { weight: 4, arbitrary: record("count", { by }) },
  { weight: 4, arbitrary: record("theirs", { value, ttl, ahead: fc.nat(30) }) },
  { weight: 2, arbitrary: record("removed", { value }) },
  { weight: 3, arbitrary: record("counted", { by }) },
  { weight: 10, arbitrary: record("arrive", { refused: fc.nat(9), which }) },
  { weight: 10, arbitrary: record("answer", { which }) },
  { weight: 10, arbitrary: record("tell", {}) },
  { weight: 2, arbitrary: record("restamp", { which }) },
  { weight: 2, arbitrary: record("whole", {}) },
  { weight: 3, arbitrary: record("read", {}) },
  { weight: 1, arbitrary: record("wait", {}) },
  { weight: 1, arbitrary: record("lose", { which }) },
);

export type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

export const REFUSED: Outcome = {
  type: "refused",
  error: makeError("NO_BACKUP", { partitionId: 0 }),
};
export const bytesOf = (json: string): Uint8Array => {
  const bytes = encodeJson(json, "value");
  return bytes.ok ? bytes.value : expect.fail("no value");
};
export const nameOf = ({ kind, sub }: Row): string => `${kind} ${sub}`;

export function jsonOf({ kind, value: bytes }: Row): unknown {
  const json = kind === "or" && bytes ? decodeJson(bytes, "value") : null;
  return json?.ok ? json.value : undefined;
}

export const totalsOf = (replica: string, count: Count): readonly Row[] =>
  (["inc", "dec"] as const).flatMap((side): readonly Row[] => {
    if (count[side] === 0) return [];
    const sub = countSub(replica, side);
    const total = encodeTotal(count[side]);
    return [{ ...OF, kind: "pn", sub, stamp: COUNT_STAMP, value: total, expiresAt: null }];
  });

export function sumOf(rows: readonly Row[]): number {
  let sum = 0;
  for (const { kind, sub, value: bytes } of rows) {
    const total = kind === "pn" && bytes ? decodeTotal(bytes) : null;
    if (total?.ok) sum += sub.endsWith("-") ? -total.value : total.value;
  }
  return sum;
}

export interface Stored {
  readonly row: Row;
  readonly seq: number;
}

export function addOf(json: string, stamp: Row["stamp"], expiresAt: number | null): Row {
  const bytes = bytesOf(json);
  return { ...OF, kind: "or", sub: elementSub(bytes, stamp), stamp, value: bytes, expiresAt };
}

export function removalOf(json: string, tag: Row["stamp"], stamp: Row["stamp"]): Row {
  const sub = elementSub(bytesOf(json), tag);
  return { ...OF, kind: "or", sub, stamp, value: null, expiresAt: null };
}

export function textIn(bytes: Uint8Array | null): string {
  const json = bytes && decodeJson(bytes, "value");
  return json?.ok ? String(json.value) : "";
}

/** Removals that were refused while their element was told of, read whole and removed by others. */
export const REFUSED_REMOVALS: readonly (readonly Action[])[] = [
  [
    { type: "add", value: "y", ttl: null },
    { type: "arrive", refused: 0, which: 0 },
    { type: "tell" },
    { type: "answer", which: 0 },
    { type: "delete", value: "y" },
    { type: "arrive", refused: 1, which: 0 },
    { type: "answer", which: 0 },
    { type: "answer", which: 0 },
    { type: "arrive", refused: 0, which: 0 },
    { type: "tell" },
    { type: "read" },
    { type: "arrive", refused: 0, which: 0 },
    { type: "answer", which: 0 },
    { type: "arrive", refused: 0, which: 0 },
    { type: "arrive", refused: 0, which: 0 },
    { type: "removed", value: "x" },
  ],
];

/** Somebody has added it twice, once for a while. */
export const ONE_ADD_EXPIRES: readonly Action[] = [
  { type: "theirs", value: "x", ttl: 20, ahead: 0 },
  { type: "theirs", value: "x", ttl: null, ahead: 0 },
  { type: "tell" },
  { type: "tell" },
  { type: "wait" },
];

/** Nothing is removed, refused, lost or expires. */
export function harmless(step: Action): Action {
  if (["lose", "removed", "delete"].includes(step.type)) return { type: "tell" };
  if (step.type === "arrive") return { ...step, refused: 9 };
  return "ttl" in step ? { ...step, ttl: null } : step;
}
