import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  BUCKET_COUNT,
  BUCKETS_BYTES,
  bucketOf,
  Digest,
  differingBuckets,
  totalOf,
  type DigestKey,
} from "../../src/data/digest.ts";
import { formatStamp } from "../../src/data/hlc.ts";
import { identityOf, type Row } from "../../src/data/row.ts";
import { crowdedIdentity, row, rowOf, SAME } from "./arbitraries.ts";

const KEY: DigestKey = { a: 0x12345678, b: 0x9abcdef0 };

function digestOf(rows: Iterable<Row>, key: DigestKey = KEY): Digest {
  const digest = new Digest(key);
  for (const r of rows) digest.add(r);
  return digest;
}

const base: Row = {
  map: "users",
  key: "alice",
  kind: "lww",
  sub: "",
  stamp: { millis: 1_800_000_000_000, counter: 3, node: "n1.2" },
  value: Uint8Array.of(1, 2, 3, 4, 5),
  expiresAt: 1_800_000_060_000,
};
const numbered = (count: number): Row[] =>
  Array.from({ length: count }, (_, i) => ({ ...base, key: `user:${i}` }));

/** Everything that makes a row this row. */
const nameOf = (r: Row): string =>
  JSON.stringify([identityOf(r), formatStamp(r.stamp), r.value && [...r.value], r.expiresAt]);

describe("digest", () => {
  it("kept up to date equals the digest computed anew, in any order", () => {
    const seen = { replaced: 0, removed: 0 };
    const step = fc.record({ row: fc.oneof(rowOf(crowdedIdentity), row), remove: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), (steps) => {
        const digest = new Digest(KEY);
        const table = new Map<string, Row>();
        for (const { row: next, remove } of steps) {
          const place = JSON.stringify(identityOf(next));
          const old = table.get(place);
          if (old) digest.remove(old);
          if (old) seen[remove ? "removed" : "replaced"] += 1;
          if (remove) table.delete(place);
          else {
            digest.add(next);
            table.set(place, next);
          }
        }
        const anew = digestOf([...table.values()].toReversed());
        expect(differingBuckets(digest.buckets(), anew.buckets())).toEqual([]);
        expect(digest.total()).toBe(anew.total());
      }),
      { numRuns: 500 },
    );
    expect(Math.min(seen.replaced, seen.removed)).toBeGreaterThan(500);
  });

  it("does not depend on the order of rows", () => {
    const rows = numbered(1_000);
    const all = digestOf(rows);
    expect(digestOf(rows.toReversed()).buckets()).toEqual(all.buckets());
    expect(digestOf(rows.slice(1)).total()).not.toBe(all.total());
  });

  it("counts a row as often as it is added", () => {
    const empty = new Digest(KEY).total();
    const twice = digestOf([base, base]);
    expect(empty).toBe("0000000000000000");
    expect(twice.total()).not.toBe(empty); // of a xor it would be
    twice.remove(base);
    expect(twice.total()).toBe(digestOf([base]).total());
    twice.remove(base);
    expect(twice.total()).toBe(empty);
  });

  it("can be negative for a while: remove and add commute", () => {
    const digest = new Digest(KEY);
    digest.remove(base);
    expect(digest.total()).not.toBe("0000000000000000");
    digest.add(base);
    expect(digest.buckets()).toEqual(new Digest(KEY).buckets());
  });

  it.each<[string, Partial<Row>]>([
    ["map", { map: "user" }],
    ["key", { key: "alicf" }],
    ["sub", { sub: "\0" }],
    ["the border of map and key", { map: "usersa", key: "lice" }],
    ["the border of key and sub", { key: "alic", sub: "e" }],
    ["millis", { stamp: { ...base.stamp, millis: base.stamp.millis + 1 } }],
    ["millis beyond 32 bits", { stamp: { ...base.stamp, millis: base.stamp.millis + 2 ** 32 } }],
    ["counter", { stamp: { ...base.stamp, counter: 4 } }],
    ["node", { stamp: { ...base.stamp, node: "n1.3" } }],
    ["length of node", { stamp: { ...base.stamp, node: "n1.22" } }],
    ["last byte of value", { value: Uint8Array.of(1, 2, 3, 4, 6) }],
    ["a zero more", { value: Uint8Array.of(1, 2, 3, 4, 5, 0) }],
    ["an empty value", { value: new Uint8Array() }],
    ["a tombstone", { value: null }],
    ["expiry", { expiresAt: 1_800_000_060_001 }],
    ["expiry beyond 32 bits", { expiresAt: 1_800_000_060_000 + 2 ** 32 }],
    ["expiry 0", { expiresAt: 0 }],
    ["no expiry", { expiresAt: null }],
  ])("differs when one row differs in %s", (_, change) => {
    const others = numbered(50);
    const before = digestOf([...others, base]);
    const after = digestOf([...others, { ...base, ...change }]);
    expect(after.total()).not.toBe(before.total());
    expect(differingBuckets(before.buckets(), after.buckets())).toEqual(
      [...new Set([bucketOf(base), bucketOf({ ...base, ...change })])].toSorted((a, b) => a - b),
    );
  });

  it("tells all of these apart: tombstone, empty value, no expiry, expiry 0", () => {
    const values = [null, new Uint8Array(), Uint8Array.of(0), Uint8Array.of(0, 0)];
    const rows = values.flatMap((value) =>
      [null, 0].map((at) => ({ ...base, value, expiresAt: at })),
    );
    expect(new Set(rows.map((r) => digestOf([r]).total())).size).toBe(8);
  });

  it("depends on both halves of the key", () => {
    const totals = [
      KEY,
      { ...KEY, a: KEY.a ^ 1 },
      { ...KEY, b: KEY.b ^ 1 },
      { a: KEY.b, b: KEY.a },
    ];
    expect(new Set(totals.map((key) => digestOf([base], key).total())).size).toBe(4);
    expect(
      differingBuckets(digestOf([base]).buckets(), digestOf([base], { a: 1, b: 2 }).buckets()),
    ).toEqual([bucketOf(base)]);
  });

  it("hands out a copy", () => {
    const digest = digestOf([base]);
    const total = digest.total();
    digest.buckets().fill(1);
    expect(digest.total()).toBe(total);
    const before = digest.buckets();
    digest.add({ ...base, ...SAME });
    expect(totalOf(before)).toBe(total);
  });
});

describe("buckets", () => {
  it("sum up to the total, lane by lane modulo 2^32", () => {
    const digest = digestOf(numbered(5_000));
    const view = Buffer.from(digest.buckets());
    expect(view.length).toBe(BUCKETS_BYTES);
    expect(BUCKETS_BYTES).toBe(2_048);
    const sum = [0n, 0n];
    for (let i = 0; i < BUCKET_COUNT; i++) {
      sum[0] = (sum[0] ?? 0n) + BigInt(view.readUInt32BE(i * 8));
      sum[1] = (sum[1] ?? 0n) + BigInt(view.readUInt32BE(i * 8 + 4));
    }
    expect(sum[0]).toBeGreaterThan(2n ** 32n); // it did wrap
    const expected = sum.map((lane) => (lane % 2n ** 32n).toString(16).padStart(8, "0")).join("");
    expect(digest.total()).toBe(expected);
    expect(totalOf(Uint8Array.from([9, ...view, 9]).subarray(1, -1))).toBe(expected);
  });

  it("differ exactly where the rows do", () => {
    let found = 0;
    fc.assert(
      fc.property(
        fc.uniqueArray(row, { maxLength: 40, selector: nameOf }),
        fc.infiniteStream(fc.constantFrom("both", "both", "left", "right")),
        (rows, sides) => {
          const left: Row[] = [];
          const right: Row[] = [];
          const buckets = new Set<number>();
          for (const r of rows) {
            const side = sides.next().value;
            if (side !== "right") left.push(r);
            if (side !== "left") right.push(r);
            if (side !== "both") buckets.add(bucketOf(r));
          }
          found += buckets.size;
          expect(differingBuckets(digestOf(left).buckets(), digestOf(right).buckets())).toEqual(
            [...buckets].toSorted((a, b) => a - b),
          );
        },
      ),
      { numRuns: 500 },
    );
    expect(found).toBeGreaterThan(1_000);
  });

  it("differ in the first and in the last byte of either lane too", () => {
    const zeros = new Uint8Array(BUCKETS_BYTES);
    expect(differingBuckets(zeros, zeros)).toEqual([]);
    for (const [at, bucket] of [
      [0, 0],
      [7, 0],
      [8, 1],
      [2_047, 255],
    ] as const) {
      expect(differingBuckets(zeros, zeros.with(at, 1))).toEqual([bucket]);
    }
  });

  it("of another length are a bug", () => {
    const short = new Uint8Array(BUCKETS_BYTES - 1);
    expect(() => totalOf(short)).toThrow("BUG");
    expect(() => differingBuckets(short, short)).toThrow("BUG");
  });
});

describe("bucket of an identity", () => {
  it.each([
    [SAME, 209],
    [{ ...SAME, map: "", key: "" }, 4],
    [{ ...SAME, map: "users", key: "alice" }, 181],
    [{ ...SAME, map: "日本", key: "😀", sub: "x" }, 116],
  ])("of %j is %d, for ever", (of, bucket) => {
    expect(bucketOf(of)).toBe(bucket);
  });

  it("depends on every part and on where the parts end", () => {
    const text = "abcdefghijklmnopqrst";
    const cuts = Array.from({ length: 21 }, (_, i) => ({
      map: text.slice(0, i),
      key: text.slice(i),
    }));
    const byMapAndKey = cuts.map((cut) => bucketOf({ ...SAME, ...cut }));
    const byKeyAndSub = cuts.map(({ map, key }) => bucketOf({ ...SAME, key: map, sub: key }));
    expect(new Set(byMapAndKey).size).toBeGreaterThan(15);
    expect(new Set(byKeyAndSub).size).toBeGreaterThan(15);
    expect(bucketOf({ ...SAME, map: "a", key: "bc" })).not.toBe(
      bucketOf({ ...SAME, map: "ab", key: "c" }),
    );
  });

  it("is even over keys, over maps and over subs: about 100 in each", () => {
    for (const part of ["key", "map", "sub"] as const) {
      const loads = Array.from({ length: BUCKET_COUNT }, () => 0);
      for (let i = 0; i < 25_600; i++) {
        const bucket = bucketOf({ ...SAME, [part]: `${i}` });
        loads[bucket] = (loads[bucket] ?? 0) + 1;
      }
      expect(loads.length).toBe(BUCKET_COUNT);
      expect(Math.min(...loads)).toBeGreaterThan(60);
      expect(Math.max(...loads)).toBeLessThan(145);
    }
  });
});
