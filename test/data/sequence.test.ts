import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sequenceIn, sequenceSub } from "../../src/data/sequence.ts";
import { compareText } from "../../src/data/text.ts";
import { wellFormedText } from "./arbitraries.ts";

const LAST = 10 ** 12 - 1;

const sequence = fc.oneof(
  fc.integer({ min: 1, max: 1_000 }),
  fc.integer({ min: 1, max: LAST }),
  fc.constantFrom(9, 10, 99, 100, 99_999_999_999, 100_000_000_000, LAST),
);

describe("the number of an entry as a text", () => {
  it("comes back", () => {
    fc.assert(
      fc.property(sequence, (number) => {
        expect(sequenceIn(sequenceSub(number))).toBe(number);
      }),
    );
  });

  it("is in the order of the numbers", () => {
    fc.assert(
      fc.property(sequence, sequence, (a, b) => {
        expect(Math.sign(compareText(sequenceSub(a), sequenceSub(b)))).toBe(Math.sign(a - b));
      }),
    );
  });

  it("is frozen, and before the first there is room to go on from", () => {
    expect(sequenceSub(1)).toBe("000000000001");
    expect(sequenceSub(1_200)).toBe("000000001200");
    expect(sequenceSub(LAST)).toBe("999999999999");
    expect(compareText(sequenceSub(0), sequenceSub(1))).toBeLessThan(0);
  });

  it.each([
    "",
    "1",
    "000000000000",
    "00000000001",
    "0000000000001",
    "-00000000001",
    "+00000000001",
    " 00000000001",
    "00000000001 ",
    "000000000001\n",
    "00000000000a",
    "0000000000.1",
    "00000000001e",
    "0x0000000001",
    "000000000001+",
    "٠٠٠٠٠٠٠٠٠٠٠١",
  ])("is not %j", (text) => {
    expect(sequenceIn(text)).toBeNull();
  });

  it("is no other text, whatever it is", () => {
    fc.assert(
      fc.property(fc.oneof(wellFormedText, fc.string({ maxLength: 14 })), (text) => {
        const number = sequenceIn(text);
        expect(number === null || sequenceSub(number) === text).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});
