import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucketCount, differing, digestOf, noDigest, sumOf } from "../../src/data/bucket-digest.ts";
import { bucketIn, Digest, type DigestKey } from "../../src/data/digest.ts";
import { identityOf, type Row } from "../../src/data/row.ts";
import { rowOf, crowdedIdentity } from "./arbitraries.ts";

const SALT: DigestKey = { a: 0x12345678, b: 0x9abcdef0 };
const counts = fc.constantFrom(1, 2, 8, 64);
const visible = rowOf(crowdedIdentity).map((row) => ({
  ...row,
  value: row.value ?? Uint8Array.of(1),
}));
const nameOf = (row: Row): string => JSON.stringify(identityOf(row));
const rowSet = fc.uniqueArray(visible, { selector: nameOf, minLength: 2, maxLength: 60 });

describe("a bucket's digest", () => {
  it("is the last six of the eight bytes of its rows' digest", () => {
    const check = fc.property(rowSet, counts, (rows, count) => {
      const whole = new Digest(SALT, count);
      for (const row of rows) whole.add(row);
      const kept = whole.buckets().filter((_, at) => at % 8 >= 2);
      expect(digestOf(rows, count, SALT)).toEqual(kept);
    });
    fc.assert(check);
  });

  it("of two pages adds up to that of both, carries and all", () => {
    let carries = 0;
    const check = fc.property(rowSet, counts, fc.nat(), (rows, count, seed) => {
      const cut = seed % rows.length;
      const [one, other] = [rows.slice(0, cut), rows.slice(cut)].map((page) =>
        digestOf(page, count, SALT),
      );
      if (!one || !other) throw new Error("two pages");
      expect(sumOf(one, other)).toEqual(digestOf(rows, count, SALT));
      expect(sumOf(noDigest(count), other)).toEqual(other);
      for (let at = 2; at < one.length; at += 6)
        carries += Number((one[at] ?? 0) + (other[at] ?? 0) > 255);
    });
    fc.assert(check);
    expect(carries).toBeGreaterThan(20);
  });

  it("leaves out what is gone", () => {
    const check = fc.property(rowSet, counts, (rows, count) => {
      const [first, ...rest] = rows;
      if (!first) throw new Error("no row");
      const digest = digestOf([{ ...first, value: null }, ...rest], count, SALT);
      expect(digest).toEqual(digestOf(rest, count, SALT));
    });
    fc.assert(check);
  });

  it("differs where a row does, and nowhere else", () => {
    const check = fc.property(rowSet, counts, fc.nat(), (rows, count, seed) => {
      const other = rows[seed % rows.length] ?? expect.fail("no row");
      const later = { ...other, stamp: { ...other.stamp, counter: other.stamp.counter + 1 } };
      const changed = rows.map((row) => (row === other ? later : row));
      const [before, after] = [digestOf(rows, count, SALT), digestOf(changed, count, SALT)];
      expect(bucketCount(before)).toBe(count);
      expect(differing(before, after)).toEqual([bucketIn(count, other)]);
      expect(differing(before, digestOf(rows.toReversed(), count, SALT))).toEqual([]);
    });
    fc.assert(check);
  });
});
