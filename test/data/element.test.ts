import fc from "fast-check";
import { expect, it } from "vitest";
import { countSub, decodeTotal, encodeTotal, sideIn } from "../../src/data/count.ts";
import { elementHash } from "../../src/data/element-hash.ts";
import { elementSub, hashIn, tagIn } from "../../src/data/element.ts";
import { goneSince, mayBeDeletedSince, type Row } from "../../src/data/row.ts";
import { equalBytes } from "../../src/data/bytes.ts";
import { stamp } from "./arbitraries.ts";

const value = fc.uint8Array({ maxLength: 40 });

it("an add is told by its element and its tag, and its tag can be read back", () => {
  fc.assert(
    fc.property(value, stamp, (element, tag) => {
      const sub = elementSub(element, tag);
      expect(hashIn(sub)).toBe(elementHash(element));
      expect(tagIn(sub)).toEqual(tag);
    }),
  );
});

it.each(["", "0123", "0123456789abcdef", "0123456789abcdeg1:2:n", "0123456789abcdef1:2:n:3"])(
  "no tag is read from %j",
  (sub) => expect(tagIn(sub)).toBeNull(),
);

it("different elements have different hashes, as far as chance can tell", () => {
  const seen = new Map<string, Uint8Array>();
  fc.assert(
    fc.property(fc.oneof(value, fc.uint8Array({ maxLength: 3 })), (element) => {
      const hash = elementHash(element);
      const other = seen.get(hash) ?? element;
      expect(equalBytes(other, element)).toBe(true);
      seen.set(hash, element);
    }),
    { numRuns: 20_000 },
  );
});

it.each([
  [[], "811c9dc500000000"],
  [[0], "050c5d1f85efe535"],
  [[1, 2, 3], "56cf37abf056340b"],
] as const)("the hash of %j stays what it was", (bytes, hash) => {
  expect(elementHash(Uint8Array.from(bytes))).toBe(hash);
});

it("totals are read back, and nothing else is", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (total) => {
      expect(decodeTotal(encodeTotal(total))).toEqual({ ok: true, value: total });
    }),
  );
  expect(decodeTotal(new Uint8Array(7)).ok).toBe(false);
  expect(decodeTotal(Uint8Array.of(0, 32, 0, 0, 0, 0, 0, 0)).ok).toBe(false);
});

it("a total is told by its replica and its side, and these can be read back", () => {
  expect(sideIn(countSub("c1", "inc"))).toEqual({ replica: "c1", side: "inc" });
  expect(sideIn(countSub("c1-", "dec"))).toEqual({ replica: "c1-", side: "dec" });
  for (const sub of ["", "+", "c1", "c 1+", `${"c".repeat(129)}+`]) expect(sideIn(sub)).toBeNull();
});

it("a removal is gone no sooner than its add was made, if the clock of who removed was behind", () => {
  const tag = { millis: 9_000, counter: 0, node: "c1" };
  const removal: Row = {
    map: "m",
    key: "k",
    kind: "or",
    sub: elementSub(Uint8Array.of(1), tag),
    stamp: { ...tag, millis: 1_000 },
    value: null,
    expiresAt: null,
  };
  expect(goneSince(removal)).toBe(9_000);
  expect(goneSince({ ...removal, kind: "lww" })).toBe(1_000);
});

it("what was added to a counter or a journal is never taken for deleted", () => {
  const old = { millis: 1, counter: 0, node: "c1" };
  expect(mayBeDeletedSince({ kind: "lww", stamp: old }, 2)).toBe(true);
  expect(mayBeDeletedSince({ kind: "or", stamp: old }, 2)).toBe(true);
  expect(mayBeDeletedSince({ kind: "or", stamp: old }, 1)).toBe(false);
  for (const kind of ["pn", "event", "snapshot"] as const)
    expect(mayBeDeletedSince({ kind, stamp: old }, 2), kind).toBe(false);
});
