import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countSub, encodeTotal } from "../../src/data/count.ts";
import { COUNT_STAMP } from "../../src/data/count-stamp.ts";
import type { Stamp } from "../../src/data/hlc.ts";
import { ROW_OVERHEAD_BYTES } from "../../src/data/limits.ts";
import { isVisible } from "../../src/data/content.ts";
import {
  compareIdentity,
  compareRows,
  identityOf,
  isOfMap,
  mergeRows,
  rowBytes,
  type Row,
} from "../../src/data/row.ts";
import { identity, KINDS, row, rowOf, rowOfSame, SAME } from "./arbitraries.ts";

/** A stamp that no tag is above. */
const LATE = { millis: 2 ** 40, counter: 0, node: "z" };

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** From the least to the greatest; the order of rows is the product of these three. */
const STAMPS: readonly Stamp[] = [
  { millis: 1, counter: 0, node: "a" },
  { millis: 1, counter: 0, node: "b" },
  { millis: 1, counter: 1, node: "a" },
  { millis: 2, counter: 0, node: "a" },
];
const VALUES = [bytes(), bytes(0), bytes(0, 0), bytes(1), bytes(255), null];
const EXPIRIES = [0, 1, 2 ** 40, null];

/** Every combination, in the order that DESIGN.md section 3 asks for. */
const LADDER: readonly Row[] = STAMPS.flatMap((stamp) =>
  VALUES.flatMap((value) => EXPIRIES.map((expiresAt) => ({ ...SAME, stamp, value, expiresAt }))),
);

describe("order of rows", () => {
  it("is newer stamp, then tombstone, then greater bytes, then later expiry, never last", () => {
    const wrong: unknown[] = [];
    LADDER.forEach((a, i) =>
      LADDER.forEach((b, j) => {
        if (Math.sign(compareRows(a, b)) !== Math.sign(i - j)) wrong.push([a, b]);
      }),
    );
    expect(LADDER.length).toBe(96);
    expect(wrong).toEqual([]);
  });

  it("is total: of any two exactly one is less, equal or greater, whichever side asks", () => {
    let sameStamp = 0;
    fc.assert(
      fc.property(rowOfSame, rowOfSame, (a, b) => {
        const order = Math.sign(compareRows(a, b));
        expect([-1, 0, 1]).toContain(order); // NaN is not
        expect(order + Math.sign(compareRows(b, a))).toBe(0);
        expect(order === 0).toBe(JSON.stringify(fields(a)) === JSON.stringify(fields(b)));
        if (order !== 0 && compareRows({ ...a, stamp: b.stamp }, b) === order) sameStamp += 1;
      }),
      { numRuns: 5_000 },
    );
    expect(sameStamp).toBeGreaterThan(100);
  });
});

/** What is removed is above what is there; among either the order is that of entries. */
const REMOVABLE: readonly Row[] = [true, false].flatMap((isThere) =>
  LADDER.filter(({ value }) => (value !== null) === isThere).map((r) => ({ ...r, kind: "or" })),
);

describe("order of adds and removals of one element", () => {
  it("is a removal over its add, whatever their stamps, then as of entries", () => {
    const wrong: unknown[] = [];
    REMOVABLE.forEach((a, i) =>
      REMOVABLE.forEach((b, j) => {
        if (Math.sign(compareRows(a, b)) !== Math.sign(i - j)) wrong.push([a, b]);
      }),
    );
    expect(wrong).toEqual([]);
  });

  it("keeps an add away that comes after its removal, also if its stamp is newer", () => {
    const add: Row = { ...SAME, kind: "or", stamp: LATE, value: bytes(1), expiresAt: null };
    const removal: Row = { ...add, stamp: { ...LATE, millis: 1 }, value: null };
    expect(mergeRows(removal, add)).toBe(removal);
    expect(mergeRows(add, removal)).toBe(removal);
  });
});

describe("order of the totals of one replica", () => {
  it("is that of the numbers", () => {
    const of = (total: number): Row => ({
      ...SAME,
      kind: "pn",
      stamp: COUNT_STAMP,
      expiresAt: null,
      value: encodeTotal(total),
      sub: countSub("c1", "inc"),
    });
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.oneof(fc.maxSafeNat(), fc.nat(300)), (a, b) => {
        expect(Math.sign(compareRows(of(a), of(b)))).toBe(Math.sign(a - b));
      }),
    );
  });
});

describe.each(["event", "snapshot"] as const)("order of two rows that are one %s", (kind) => {
  it("is that of entries: epoch or number first, then the writer, then the bytes", () => {
    const wrong: unknown[] = [];
    const ladder = LADDER.map((r) => ({ ...r, kind }));
    ladder.forEach((a, i) =>
      ladder.forEach((b, j) => {
        if (Math.sign(compareRows(a, b)) !== Math.sign(i - j)) wrong.push([a, b]);
      }),
    );
    expect(wrong).toEqual([]);
  });
});

const fields = (r: Row): unknown => [
  [r.stamp.millis, r.stamp.counter, r.stamp.node],
  r.value && [...r.value],
  r.expiresAt,
];

describe("merge", () => {
  it("is commutative, associative and idempotent on every row of the ladder", () => {
    const ladder = LADDER.filter((_, i) => i % 3 === 0 || i < 24);
    for (const kind of KINDS) mergesWell(ladder.map((r) => ({ ...r, kind })));
  });

  function mergesWell(some: readonly Row[]): void {
    for (const a of some) {
      expect(mergeRows(a, a)).toBe(a);
      for (const b of some) {
        const ab = mergeRows(a, b);
        if (mergeRows(b, a) !== ab || mergeRows(ab, b) !== ab) expect.fail("order matters");
        for (const c of some) {
          if (mergeRows(ab, c) !== mergeRows(a, mergeRows(b, c))) expect.fail("grouping matters");
        }
      }
    }
  }

  it.each(KINDS)(
    "leaves all replicas with one %s row, whatever they saw first and how often",
    (kind) => {
      const ofSame = rowOf(fc.constant({ ...SAME, kind }));
      fc.assert(
        fc.property(
          fc
            .array(ofSame, { minLength: 2, maxLength: 8 })
            .chain((rows) =>
              fc.tuple(
                fc.constant(rows),
                fc.shuffledSubarray(rows, { minLength: rows.length }),
                fc.array(fc.constantFrom(...rows), { maxLength: 8 }),
              ),
            ),
          ([rows, shuffled, repeats]) => {
            const one = rows.reduce(mergeRows);
            const other = [...shuffled, ...repeats].reduce(mergeRows);
            expect(fields(other)).toEqual(fields(one));
            expect(rows).toContain(one);
          },
        ),
        { numRuns: 2_000 },
      );
    },
  );

  const base: Row = {
    ...SAME,
    stamp: { millis: 5, counter: 1, node: "n1.1" },
    value: bytes(5),
    expiresAt: 100,
  };

  it.each<[string, Partial<Row>]>([
    [
      "a newer stamp, though its value is less",
      { stamp: { ...base.stamp, counter: 2 }, value: bytes() },
    ],
    ["a newer value over an older tombstone", { stamp: { ...base.stamp, millis: 6 } }],
    ["at equal stamps the tombstone", { value: null, expiresAt: 0 }],
    ["at equal stamps the greater bytes", { value: bytes(5, 0), expiresAt: 0 }],
    ["at equal stamps and bytes the later expiry", { expiresAt: 101 }],
    ["at equal stamps and bytes the row that never expires", { expiresAt: null }],
  ])("keeps %s, from both sides", (_, change) => {
    const winner = { ...base, ...change };
    expect(mergeRows(winner, base)).toBe(winner);
    expect(mergeRows(base, winner)).toBe(winner);
  });

  it("never lets an older write undo a delete [I14]", () => {
    const deleted: Row = { ...base, value: null, expiresAt: null };
    const late: Row = { ...base, stamp: { ...base.stamp, millis: 4 }, value: bytes(255, 255) };
    expect(mergeRows(deleted, late)).toBe(deleted);
    expect(mergeRows(late, deleted)).toBe(deleted);
  });

  it("keeps the first of two equal rows, so that nothing changes", () => {
    const copy: Row = { ...base, value: bytes(5) };
    expect(mergeRows(base, copy)).toBe(base);
    expect(mergeRows(copy, base)).toBe(copy);
  });

  it.each<Partial<Row>>([{ map: "other" }, { key: "other" }, { sub: "other" }])(
    "of different identities is a bug: %j",
    (change) => {
      expect(() => mergeRows(base, { ...base, ...change })).toThrow("BUG");
    },
  );
});

describe("identity", () => {
  it("orders by map, key, kind, sub, as SQLite does", () => {
    let apart = 0;
    fc.assert(
      fc.property(identity, identity, (a, b) => {
        const parts = (i: typeof a): Buffer[] =>
          [i.map, i.key, i.kind, i.sub].map((t) => Buffer.from(t));
        const [left, right] = [parts(a), parts(b)];
        const first = left
          .map((part, i) => Buffer.compare(part, right[i] ?? Buffer.alloc(0)))
          .find((order) => order !== 0);
        if (first !== undefined) apart += 1;
        expect(Math.sign(compareIdentity(a, b))).toBe(first ?? 0);
      }),
      { numRuns: 5_000 },
    );
    expect(apart).toBeGreaterThan(1_000);
  });

  it.each([
    [
      { map: "a", key: "bc" },
      { map: "ab", key: "c" },
    ],
    [
      { map: "m", key: "\uffff" },
      { map: "m", key: "😀" },
    ],
  ])("%j is before %j", (a, b) => {
    expect(compareIdentity({ ...SAME, ...a }, { ...SAME, ...b })).toBeLessThan(0);
  });

  it("of a row is its four parts and no more", () => {
    fc.assert(
      fc.property(row, (r) => {
        expect(identityOf(r)).toEqual({ map: r.map, key: r.key, kind: r.kind, sub: r.sub });
        expect(compareIdentity(identityOf(r), r)).toBe(0);
      }),
    );
  });
});

it("entries, sets and counters are of a map, what an actor leaves behind is not", () => {
  expect(KINDS.filter((kind) => isOfMap({ kind }))).toEqual(["lww", "or", "pn"]);
});

describe("visibility", () => {
  const at = (value: Uint8Array | null, expiresAt: number | null): Row => ({
    ...SAME,
    stamp: { millis: 1, counter: 0, node: "n" },
    value,
    expiresAt,
  });

  it.each<[string, Row, boolean]>([
    ["a value", at(bytes(1), null), true],
    ["an empty value", at(bytes(), null), true],
    ["a value before its expiry", at(bytes(1), 1_001), true],
    ["a value at its expiry", at(bytes(1), 1_000), false],
    ["a value after its expiry", at(bytes(1), 999), false],
    ["a value that expired in 1970", at(bytes(1), 0), false],
    ["a tombstone", at(null, null), false],
    ["a tombstone with an expiry ahead", at(null, 2_000), false],
  ])("%s: %#", (_, r, visible) => {
    expect(isVisible(r, 1_000)).toBe(visible);
  });
});

describe("size", () => {
  it("is that of texts and value, and a constant", () => {
    fc.assert(
      fc.property(row, (r) => {
        const texts = [r.map, r.key, r.sub, r.stamp.node].map((text) => Buffer.byteLength(text));
        const sum = texts.reduce((a, b) => a + b) + (r.value?.length ?? 0);
        expect(rowBytes(r)).toBe(sum + ROW_OVERHEAD_BYTES);
      }),
    );
  });
});
