import fc from "fast-check";
import { expect, it } from "vitest";
import { compareBytes, equalBytes } from "../../src/data/bytes.ts";

/** Short ones over few values: equal ones and prefixes of each other are common. */
const bytes = fc.oneof(
  fc.array(fc.constantFrom(0, 1, 127, 128, 255), { maxLength: 3 }).map((b) => Uint8Array.from(b)),
  fc.uint8Array({ maxLength: 20 }),
);

it("orders bytes as memcmp does, and knows equal ones", () => {
  const seen = { less: 0, equal: 0, prefix: 0 };
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      const order = Buffer.compare(a, b);
      if (order < 0) seen.less += 1;
      if (order === 0) seen.equal += 1;
      if (order !== 0 && Buffer.from(b).subarray(0, a.length).equals(a)) seen.prefix += 1;
      expect(Math.sign(compareBytes(a, b))).toBe(order);
      expect(equalBytes(a, b)).toBe(order === 0);
    }),
    { numRuns: 5_000 },
  );
  expect(Math.min(seen.less, seen.equal, seen.prefix)).toBeGreaterThan(50);
});

it("reads a view of a larger buffer from its own start", () => {
  const buffer = Uint8Array.of(9, 1, 2, 9);
  expect(equalBytes(buffer.subarray(1, 3), Uint8Array.of(1, 2))).toBe(true);
  expect(compareBytes(buffer.subarray(1, 3), buffer.subarray(0, 2))).toBeLessThan(0);
});
