import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BROKEN_TEXT, decodeUtf8 } from "../../src/protocol/utf8.ts";

const platform = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function expected(bytes: Uint8Array): string {
  try {
    return platform.decode(bytes);
  } catch {
    return BROKEN_TEXT;
  }
}

const decode = (bytes: Uint8Array): string => decodeUtf8(bytes, 0, bytes.length);

describe("the same as a strict decoder of the platform", () => {
  it("every sequence of one, two and three bytes at the borders", () => {
    const borders = [
      0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1,
      0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf7, 0xf8, 0xfb, 0xfc, 0xff,
    ];
    for (let first = 0; first < 256; first++) {
      expect(decode(Uint8Array.of(first))).toBe(expected(Uint8Array.of(first)));
      for (const second of borders)
        for (const third of borders)
          for (const bytes of [
            [first, second, third],
            [first, second, third, 0x80],
            [first, second, third, 0xbf, 0x41],
          ])
            if (decode(Uint8Array.from(bytes)) !== expected(Uint8Array.from(bytes)))
              expect.fail(`differs at ${bytes.join(" ")}`);
    }
  });

  it("texts of any length", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: "binary-ascii", maxLength: 70 }),
      fc.string({ unit: "binary", maxLength: 500 }),
    );
    fc.assert(
      fc.property(text, (sent) => {
        expect(decode(new TextEncoder().encode(sent))).toBe(sent.toWellFormed());
      }),
      { numRuns: 2_000 },
    );
  });

  it("random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(decode(bytes)).toBe(expected(bytes));
      }),
      { numRuns: 2_000 },
    );
  });

  it("texts longer than one piece, and one that breaks late", () => {
    for (const text of ["é", "a", "😀", "日"].map((unit) => unit.repeat(10_000)))
      expect(decode(new TextEncoder().encode(text))).toBe(text);
    expect(decode(Uint8Array.of(...new TextEncoder().encode("a".repeat(5_000)), 0xff))).toBe(
      BROKEN_TEXT,
    );
  });
});

it("a text cut inside a character does not read on into what follows", () => {
  const bytes = new TextEncoder().encode("a😀b");
  expect(decodeUtf8(bytes, 0, 3)).toBe(BROKEN_TEXT);
});

it("a text that is remembered is not taken for another of its length", () => {
  const texts = ["user:0001", "user:0002", "user:1001", "usés:001", "usér:001", "user:0001"];
  for (const text of texts) expect(decode(new TextEncoder().encode(text))).toBe(text);
});

it("what it makes of broken bytes is a text that no field takes", () => {
  expect(BROKEN_TEXT.isWellFormed()).toBe(false);
});
