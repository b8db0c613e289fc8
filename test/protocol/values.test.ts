import fc from "fast-check";
import { expect, it } from "vitest";
import { decodeJson, encodeJson } from "../../src/protocol/values.ts";

const codeOf = (value: unknown): string | null => {
  const bytes = encodeJson(value, "value");
  return bytes.ok ? null : bytes.error.code;
};

it("what is plain comes back equal, and as plain arrays of bytes", () => {
  const leaf = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array(),
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 20 },
      leaf,
      fc.array(tie("tree")),
      fc.dictionary(fc.string(), tie("tree")),
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      fc.pre(!JSON.stringify(value).includes("__proto__"));
      const bytes = encodeJson(value, "value");
      expect(bytes.ok && decodeJson(bytes.value, "value")).toEqual({ ok: true, value });
    }),
  );
});

it("64 deep there and back, where a frame has 12", () => {
  const nest = (depth: number): unknown => (depth === 0 ? 1 : [nest(depth - 1)]);
  const bytes = encodeJson(nest(64), "value");
  expect(bytes.ok && decodeJson(bytes.value, "value")).toEqual({ ok: true, value: nest(64) });
  expect(codeOf(nest(65))).toBe("MALFORMED");
});

it("what is undefined is left out of objects, and is no value", () => {
  const bytes = encodeJson({ a: undefined, b: 1 }, "value");
  expect(bytes.ok && decodeJson(bytes.value, "value")).toEqual({ ok: true, value: { b: 1 } });
  expect(codeOf(undefined)).toBe("MALFORMED");
});

it.each([
  ["a date", new Date(0)],
  ["a map", new Map()],
  [
    "a class",
    new (class Point {
      x = 1;
    })(),
  ],
  ["a bigint", 1n],
  ["a function", () => 1],
  ["a symbol", { inner: [Symbol("x")] }],
])("%s is refused, for it would come back as something else", (_, value) => {
  expect(codeOf(value)).toBe("MALFORMED");
});

it("bytes of another convention are refused, not thrown at", () => {
  for (const bytes of [[0xc1], [], [0xd6, 0xff, 0, 0, 0, 0], [1, 2]])
    expect(decodeJson(new Uint8Array(bytes), "value")).toMatchObject({
      ok: false,
      error: { code: "MALFORMED" },
    });
});
