import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tailLog10 } from "../../../src/core/detector/tail.ts";
import { exactTailLog10 } from "./exact-tail.ts";

const JOINT = 2 * Math.SQRT2;

describe("the tail of the normal distribution, in digits", () => {
  it.each([
    [0, 0.5],
    [1.2815515655446004, 0.1],
    [6, 9.865876450376946e-10],
    [10, 7.619853024160495e-24],
    [30, 4.906713927148187e-198],
  ])("of %d deviations is that of the tables", (y, chance) => {
    expect(tailLog10(y)).toBeCloseTo(-Math.log10(chance), 12);
  });

  it("is right to 12 digits from -30 to 35 deviations, on both sides of the joint too", () => {
    const near = Array.from({ length: 41 }, (_, i) => Math.round(JOINT * 1_000) - 20 + i);
    const all = Array.from({ length: 66 }, (_, i) => (i - 30) * 1_000 + ((i * 37) % 1_000));
    for (const thousandths of [...near, ...all.filter((y) => y <= 35_000)]) {
      const exact = exactTailLog10(thousandths);
      expect(Math.abs(tailLog10(thousandths / 1_000) / exact - 1)).toBeLessThan(1e-12);
    }
  });

  it("does not jump at the joint", () => {
    const before = tailLog10(JOINT * (1 - 2 ** -52));
    const after = tailLog10(JOINT * (1 + 2 ** -52));
    expect(Math.abs(after - before)).toBeLessThan(1e-13);
  });

  it("is within the bounds 7.1.13 of Abramowitz and Stegun, however far out", () => {
    const log = fc.double({ min: -6, max: 15, noNaN: true });
    fc.assert(
      fc.property(log, (exponent) => {
        const z = 10 ** exponent;
        const bound = (c: number): number =>
          (z * z - Math.log(1 / (Math.sqrt(Math.PI) * (z + Math.sqrt(z * z + c))))) / Math.LN10;
        const digits = tailLog10(z * Math.SQRT2);
        const slack = 1e-12 * Math.max(1, digits);
        expect(digits).toBeGreaterThanOrEqual(bound(4 / Math.PI) - slack);
        expect(digits).toBeLessThanOrEqual(bound(2) + slack);
      }),
      { numRuns: 2_000 },
    );
  });
});
