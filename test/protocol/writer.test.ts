import { encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { expect, it } from "vitest";
import { writeValue } from "../../src/protocol/writer.ts";

const number = fc.oneof(
  fc.integer({ min: -70_000, max: 70_000 }),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(-0x20, -0x21, -(2 ** 31), -(2 ** 31) - 1, 2 ** 32 - 1, 2 ** 32, 2 ** 53),
);
const text = fc.oneof(fc.string({ unit: "binary" }), fc.string({ minLength: 250, maxLength: 300 }));
const leaf = fc.oneof(
  number,
  text,
  fc.boolean(),
  fc.constant(null),
  fc.uint8Array({ maxLength: 300 }),
);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(leaf, fc.array(tie("tree"), { maxLength: 20 }), fc.dictionary(text, tie("tree"))),
}));

it("writes what the package writes, byte for byte", () => {
  fc.assert(
    fc.property(tree, (value) => {
      expect(writeValue(value)).toEqual(encode(value, { ignoreUndefined: true }));
    }),
  );
});

it.each([
  ["bytes", new Uint8Array(70_000)],
  ["a text", "é".repeat(40_000)],
  ["a list", Array.from({ length: 70_000 }, (_, n) => n)],
  ["a map", Object.fromEntries(Array.from({ length: 70_000 }, (_, n) => [`k${n}`, n]))],
  ["what is undefined", { a: undefined, b: [undefined] }],
])("of any length: %s", (_, value) => {
  const bytes = encode(value, { ignoreUndefined: true });
  expect(Buffer.compare(writeValue(value), bytes)).toBe(0);
  expect(writeValue(1), "in the same buffer").toEqual(new Uint8Array([1]));
});

it("refuses a text that is none", () => {
  expect(() => writeValue(["\ud800"])).toThrow("texts are checked");
});
