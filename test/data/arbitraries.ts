/** Values for the property tests: from domains so small that ties happen, and from whole domains. */
import fc from "fast-check";
import type { Stamp } from "../../src/data/hlc.ts";
import { EXPIRES_AT_MAX, STAMP_COUNTER_MAX, STAMP_MILLIS_MAX } from "../../src/data/limits.ts";
import type { Identity, Row, RowKind } from "../../src/data/row.ts";

/** Either side of every border between the order of code units and that of UTF-8 bytes. */
const borderUnit = fc.constantFrom(
  "\0",
  "a",
  "\u007f",
  "\u0080",
  "\u07ff",
  "\u0800",
  "\ud7ff",
  "\ue000",
  "\uffff",
  "\u{10000}",
  "\u{1f600}",
  "\u{10ffff}",
);

export const wellFormedText = fc.oneof(
  fc.string({ unit: borderUnit, maxLength: 6 }),
  fc.string({ unit: "binary", maxLength: 12 }),
);

/** Lone surrogates too. */
export const anyText = fc
  .array(fc.oneof(fc.constantFrom(0x61, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000), fc.nat(0xffff)), {
    maxLength: 8,
  })
  .map((units) => String.fromCharCode(...units));

const nodeUnit = fc.constantFrom(..."ABZabz019._-".split(""));

export const stamp: fc.Arbitrary<Stamp> = fc.oneof(
  fc.record({
    millis: fc.nat(2),
    counter: fc.nat(2),
    node: fc.constantFrom("a", "a.1", "a.10", "b", "B", "-", "_"),
  }),
  fc.record({
    millis: fc.integer({ min: 0, max: STAMP_MILLIS_MAX }),
    counter: fc.integer({ min: 0, max: STAMP_COUNTER_MAX }),
    node: fc.string({ unit: nodeUnit, minLength: 1, maxLength: 64 }),
  }),
);

export const KINDS: readonly RowKind[] = ["lww", "or", "pn", "event", "snapshot"];

/** Mostly entries: rows of one identity are to stay common. */
const anyKind: fc.Arbitrary<RowKind> = fc.oneof(
  fc.constant<RowKind>("lww"),
  fc.constantFrom(...KINDS),
);

/** 120 in all, with parts that run together alike: rows of one identity are common. */
export const crowdedIdentity: fc.Arbitrary<Identity> = fc.record({
  map: fc.constantFrom("", "m", "mm"),
  key: fc.constantFrom("", "m", "mm", "k"),
  kind: anyKind,
  sub: fc.constantFrom("", "m"),
});

export const identity: fc.Arbitrary<Identity> = fc.oneof(
  crowdedIdentity,
  fc.record({
    map: wellFormedText,
    key: wellFormedText,
    kind: anyKind,
    sub: wellFormedText,
  }),
);

const value = fc.option(
  fc.oneof(
    fc.constantFrom(...[[], [0], [0, 0], [1], [255]].map((bytes) => Uint8Array.from(bytes))),
    fc.uint8Array({ maxLength: 40 }),
  ),
);
const expiresAt = fc.option(fc.oneof(fc.nat(2), fc.integer({ min: 0, max: EXPIRES_AT_MAX })));

export const rowOf = (of: fc.Arbitrary<Identity>): fc.Arbitrary<Row> =>
  fc
    .record({ of, stamp, value, expiresAt })
    .map(({ of: { map, key, kind, sub }, ...rest }) => ({ map, key, kind, sub, ...rest }));

export const SAME: Identity = { map: "m", key: "k", kind: "lww", sub: "" };

/** Rows that may meet in a merge. */
export const rowOfSame: fc.Arbitrary<Row> = rowOf(fc.constant(SAME));

export const row: fc.Arbitrary<Row> = rowOf(identity);
