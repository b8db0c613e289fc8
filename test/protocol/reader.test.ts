/** The part of msgpack that is spoken: what the library writes is read alike, and nothing else hurts. */
import { encode, ExtData } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readValue } from "../../src/protocol/reader.ts";

const ITEMS_MAX = 1_048_576;
const bytesOf = (...parts: readonly (number | readonly number[] | Uint8Array)[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === "number" ? [part] : [...part])));

const valueOf = (bytes: Uint8Array): unknown => {
  const read = readValue(bytes, ITEMS_MAX);
  if (!read.ok) throw new Error(read.error("frame").message);
  return read.value;
};
const problemOf = (bytes: Uint8Array, itemsMax = ITEMS_MAX): string => {
  const read = readValue(bytes, itemsMax);
  return read.ok ? "none" : read.error("frame").message;
};

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "binary", minLength: 200, maxLength: 300 }),
);
const { value: anything } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constant(null),
    fc.boolean(),
    fc.double().map((n) => n + 0),
    fc.maxSafeInteger(),
    fc.integer({ min: -40_000, max: 70_000 }),
    text,
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie("value"), { maxLength: 20 }),
    fc.dictionary(
      text.filter((name) => name !== "__proto__"),
      tie("value"),
      { maxKeys: 20, noNullPrototype: true },
    ),
  ),
}));

describe("what @msgpack/msgpack writes is read as it was", () => {
  it("any value", () => {
    fc.assert(
      fc.property(anything, (value) => {
        expect(valueOf(encode(value))).toStrictEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  it.each([0, 15, 16, 31, 32, 255, 256, 65_535, 65_536])(
    "each form of length, here %i",
    (length) => {
      for (const value of [
        "x".repeat(length),
        new Uint8Array(length),
        Array.from({ length }, () => 1),
        Object.fromEntries(Array.from({ length }, (_, i) => [`k${i}`, 1])),
      ])
        expect(valueOf(encode(value))).toStrictEqual(value);
    },
  );

  it.each([
    -1,
    -32,
    -33,
    -128,
    -129,
    -32_768,
    -32_769,
    -(2 ** 31),
    -(2 ** 31) - 1,
    Number.MIN_SAFE_INTEGER,
  ])("negative %i", (value) => {
    expect(valueOf(encode(value))).toBe(value);
  });

  it("floats of four bytes", () => {
    expect(valueOf(encode(1.5, { forceFloat32: true }))).toBe(1.5);
  });
});

describe("numbers", () => {
  it("-0 becomes 0: equal numbers must have equal bits before they are hashed", () => {
    expect(Object.is(valueOf(bytesOf(0xcb, 0x80, Array(7).fill(0))), 0)).toBe(true);
    expect(Object.is(valueOf(bytesOf(0xca, 0x80, 0, 0, 0)), 0)).toBe(true);
  });

  it("whole numbers as floats, as some clients send them, are whole numbers", () => {
    expect(valueOf(encode(5, { forceIntegerToFloat: true }))).toBe(5);
  });

  it.each([
    ["uint64", bytesOf(0xcf, Array(8).fill(0xff)), 2 ** 64],
    ["2^53 + 1", bytesOf(0xcf, 0x00, 0x20, 0, 0, 0, 0, 0, 1), 2 ** 53],
    ["int64", bytesOf(0xd3, 0x80, Array(7).fill(0)), -(2 ** 63)],
  ])("%s beyond what is exact is no safe integer", (_, bytes, value) => {
    expect(valueOf(bytes)).toBe(value);
    expect(Number.isSafeInteger(value)).toBe(false);
  });
});

describe("refused", () => {
  it.each([
    ["nothing", bytesOf(), "frame must be complete"],
    ["more than one value", bytesOf(0xc0, 0xc0), "frame must be one msgpack value, not more"],
    [
      "the byte that msgpack never uses",
      bytesOf(0xc1),
      "frame must be msgpack, which has no byte c1",
    ],
    [
      "an extension",
      encode(new ExtData(1, Uint8Array.of(1))),
      "frame must be msgpack without extension types",
    ],
    [
      "a long one",
      encode([new ExtData(1, new Uint8Array(300))]),
      "frame must be msgpack without extension types",
    ],
    ["a date", encode(new Date(0)), "frame must be msgpack without extension types"],
    ["a number as key", bytesOf(0x81, 1, 1), "frame must be msgpack with texts as map keys"],
    ["a list as key", bytesOf(0x81, 0x90, 1), "frame must be msgpack with texts as map keys"],
    [
      "the prototype",
      bytesOf(0x81, encode("__proto__"), 0x80),
      "frame must be without a field __proto__",
    ],
    [
      "a list that is longer than the frame",
      bytesOf(0xdd, 0xff, 0xff, 0xff, 0xff),
      "frame must be complete",
    ],
    ["such a map", bytesOf(0xdf, 0xff, 0xff, 0xff, 0xff), "frame must be complete"],
    ["such a text", bytesOf(0xdb, 0xff, 0xff, 0xff, 0xff), "frame must be complete"],
    ["such bytes", bytesOf(0xc6, 0xff, 0xff, 0xff, 0xff), "frame must be complete"],
  ])("%s", (_, bytes, message) => {
    expect(problemOf(bytes)).toBe(message);
  });

  it("depth, without using up the stack", () => {
    const nested = (depth: number): Uint8Array => bytesOf(Array(depth).fill(0x91), 0xc0);
    expect(problemOf(nested(12))).toBe("none");
    expect(problemOf(nested(13))).toBe("frame must be nested at most 12 deep");
    expect(problemOf(nested(1_000_000))).toBe("frame must be nested at most 12 deep");
  });

  it("lengths that the rest of the frame cannot hold together, before anything is made for them", () => {
    // Each list claims 65,535 items and its first item is the next list: 11 times half a megabyte.
    const claims = Array.from({ length: 11 }, () => [0xdc, 0xff, 0xff]).flat();
    expect(problemOf(bytesOf(claims, Array(70_000).fill(0xc0)))).toBe("frame must be complete");
  });

  it("more values than any message has", () => {
    const list = (length: number): Uint8Array => encode(Array.from({ length }, () => null));
    expect(problemOf(list(99), 100)).toBe("none");
    expect(problemOf(list(100), 100)).toBe("frame is 101 items, must be 0 to 100");
    const maps = encode(Array.from({ length: 30 }, () => ({ a: 1, b: 2 })));
    expect(problemOf(maps, 100)).toMatch("must be 0 to 100");
  });
});

it("a frame that begins inside a larger buffer, and bytes that are views of it", () => {
  const buffer = bytesOf(9, 9, encode({ data: Uint8Array.of(1, 2, 3) }), 9);
  const value = valueOf(buffer.subarray(2, buffer.length - 1)) as { data: Uint8Array };
  expect(value).toStrictEqual({ data: Uint8Array.of(1, 2, 3) });
  expect(value.data.buffer).toBe(buffer.buffer);
  expect(valueOf(Buffer.from(encode(Uint8Array.of(1))))).toStrictEqual(Uint8Array.of(1));
});
