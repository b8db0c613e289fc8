import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareText, isWellFormed, utf8Length } from "../../src/data/text.ts";
import { anyText, wellFormedText } from "./arbitraries.ts";

const asBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

describe("text", () => {
  it("has the length of its UTF-8, lone surrogates included", () => {
    fc.assert(
      fc.property(fc.oneof(wellFormedText, anyText), (text) => {
        expect(utf8Length(text)).toBe(Buffer.byteLength(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ["", 0],
    ["a", 1],
    ["é", 2],
    ["日本", 6],
    ["😀", 4],
    ["\ud83d", 3],
    ["\ud83da", 4],
    ["\ude00\ud83d", 6],
    ["\ud83d\ud83d\ude00", 7],
  ])("%j is %d bytes", (text, bytes) => {
    expect(utf8Length(text)).toBe(bytes);
  });

  it("is well-formed exactly when UTF-8 gives it back", () => {
    let lone = 0;
    fc.assert(
      fc.property(fc.oneof(wellFormedText, anyText), (text) => {
        const survives = Buffer.from(text).toString() === text;
        if (!survives) lone += 1;
        expect(isWellFormed(text)).toBe(survives);
      }),
      { numRuns: 2_000 },
    );
    expect(lone).toBeGreaterThan(100);
  });
});

describe("order of texts", () => {
  it("is the order of their UTF-8 bytes", () => {
    let unlikeUnits = 0;
    fc.assert(
      fc.property(wellFormedText, wellFormedText, (a, b) => {
        if (a !== b && compareText(a, b) < 0 !== a < b) unlikeUnits += 1;
        expect(Math.sign(compareText(a, b))).toBe(asBytes(a, b));
      }),
      { numRuns: 20_000 },
    );
    expect(unlikeUnits).toBeGreaterThan(100); // or the order of code units would do
  });

  it.each([
    ["\uffff", "\u{10000}"],
    ["\ue000", "\u{1f600}"],
    ["x\uffff", "x\u{10ffff}z"],
    ["\u{1f600}", "\u{1f601}"],
    ["\u{10000}", "\u{10400}"],
    ["\ud7ff", "\ue000"],
    ["", "\0"],
    ["a", "aa"],
    ["\u{1f600}", "\u{1f600}a"],
  ])("%j is before %j", (a, b) => {
    expect(asBytes(a, b)).toBe(-1);
    expect(compareText(a, b)).toBeLessThan(0);
    expect(compareText(b, a)).toBeGreaterThan(0);
  });

  it("is total, lone surrogates included", () => {
    fc.assert(
      fc.property(anyText, anyText, anyText, (a, b, c) => {
        expect(compareText(a, b) === 0).toBe(a === b);
        expect(Math.sign(compareText(a, b)) + Math.sign(compareText(b, a))).toBe(0);
        const [x = "", y = "", z = ""] = [a, b, c].toSorted(compareText);
        expect(compareText(x, y)).toBeLessThanOrEqual(0);
        expect(compareText(y, z)).toBeLessThanOrEqual(0);
        expect(compareText(x, z)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 5_000 },
    );
  });
});
