import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  compareStamps,
  decodeStamp,
  encodeStamp,
  formatStamp,
  isStampNode,
  parseStamp,
} from "../../src/data/hlc.ts";
import { STAMP_COUNTER_MAX, STAMP_MILLIS_MAX } from "../../src/data/limits.ts";
import { err, ok } from "../../src/data/result.ts";
import { stamp } from "./arbitraries.ts";

const LAST = { millis: STAMP_MILLIS_MAX, counter: STAMP_COUNTER_MAX, node: "z".repeat(64) };

describe("bytes of a stamp", () => {
  it("sort as stamps do", () => {
    let ties = 0;
    fc.assert(
      fc.property(stamp, stamp, (a, b) => {
        if (a.millis === b.millis && a.counter === b.counter) ties += 1;
        const order = Buffer.compare(encodeStamp(a), encodeStamp(b));
        expect(Math.sign(compareStamps(a, b))).toBe(order);
      }),
      { numRuns: 5_000 },
    );
    expect(ties).toBeGreaterThan(50);
  });

  it("give the stamp back", () => {
    fc.assert(
      fc.property(stamp, (s) => {
        expect(decodeStamp(encodeStamp(s))).toEqual(ok(s));
      }),
    );
    expect(decodeStamp(encodeStamp(LAST))).toEqual(ok(LAST));
  });

  it("are frozen", () => {
    const hex = (s: Parameters<typeof encodeStamp>[0]): string =>
      Buffer.from(encodeStamp(s)).toString("hex");
    expect(hex({ millis: 0, counter: 0, node: "a" })).toBe("000000000000000061");
    expect(hex({ millis: 0x0123456789ab, counter: 0xcdef, node: "n1.2" })).toBe(
      "0123456789abcdef6e312e32",
    );
    expect(hex({ ...LAST, node: "z" })).toBe("ffffffffffffffff7a");
  });

  it("are read from where a view starts", () => {
    const framed = Uint8Array.from([7, 7, ...encodeStamp(LAST), 7]);
    expect(decodeStamp(framed.subarray(2, -1))).toEqual(ok(LAST));
  });

  it("are malformed, or exactly what the stamp encodes to; never a throw", () => {
    let accepted = 0;
    const nearly = fc
      .tuple(
        fc.uint8Array({ minLength: 8, maxLength: 8 }),
        fc.array(fc.constantFrom(45, 48, 58, 97, 225), { maxLength: 3 }),
      )
      .map(([head, node]) => Uint8Array.from([...head, ...node]));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), nearly), (bytes) => {
        const decoded = decodeStamp(bytes);
        if (!decoded.ok) return;
        accepted += 1;
        expect(encodeStamp(decoded.value)).toEqual(bytes);
      }),
      { numRuns: 2_000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  it.each([
    ["nothing", []],
    ["a head cut short", [0, 0, 0, 0, 0, 0, 0]],
    ["no node", [0, 0, 0, 0, 0, 0, 0, 0]],
    ["a colon in the node", [0, 0, 0, 0, 0, 0, 0, 0, 58]],
    ["a byte that is not ASCII", [0, 0, 0, 0, 0, 0, 0, 0, 0xe1]],
    ["a zero at the end", [0, 0, 0, 0, 0, 0, 0, 0, 97, 0]],
    [
      "a node of 65",
      [...Array.from({ length: 8 }, () => 0), ...Array.from({ length: 65 }, () => 97)],
    ],
  ])("are malformed with %s", (_, bytes) => {
    expect(decodeStamp(Uint8Array.from(bytes))).toEqual(err("malformed"));
  });
});

describe("text of a stamp", () => {
  it("gives the stamp back", () => {
    fc.assert(
      fc.property(stamp, (s) => {
        expect(parseStamp(formatStamp(s))).toEqual(ok(s));
      }),
    );
    expect(parseStamp(formatStamp(LAST))).toEqual(ok(LAST));
    expect(formatStamp({ millis: 1_800_000_000_000, counter: 7, node: "n1.2" })).toBe(
      "1800000000000:7:n1.2",
    );
  });

  it("is malformed, or exactly what the stamp formats to; never a throw", () => {
    let accepted = 0;
    const part = fc.constantFrom(
      "",
      "0",
      "00",
      "7",
      "65535",
      "281474976710655",
      "a",
      "-1",
      "n.1",
      " ",
    );
    const nearly = fc.array(part, { minLength: 2, maxLength: 4 }).map((parts) => parts.join(":"));
    fc.assert(
      fc.property(fc.oneof(fc.string(), nearly), (text) => {
        const parsed = parseStamp(text);
        if (!parsed.ok) return;
        accepted += 1;
        expect(formatStamp(parsed.value)).toBe(text);
      }),
      { numRuns: 20_000 },
    );
    expect(accepted).toBeGreaterThan(50);
  });

  it.each([
    "",
    "1",
    "1:2",
    "1:2:",
    ":2:n",
    "1::n",
    "1:2:n:m",
    "01:2:n",
    "1:02:n",
    "-1:2:n",
    "+1:2:n",
    "1.5:2:n",
    "1e3:2:n",
    "0x1:2:n",
    " 1:2:n",
    "1:2:n ",
    "1:2:n\n",
    "1:2:é",
    "١:2:n",
    "281474976710656:0:n",
    "1:65536:n",
    `1:2:${"n".repeat(65)}`,
  ])("%j is malformed", (text) => {
    expect(parseStamp(text)).toEqual(err("malformed"));
  });
});

describe("node of a stamp", () => {
  it.each(["a", "n1.3", "Az09._-", "x".repeat(64)])("may be %j", (node) => {
    expect(isStampNode(node)).toBe(true);
  });

  it.each(["", "x".repeat(65), "a:b", "a b", "a\n", "é", "a/b", "😀"])("may not be %j", (node) => {
    expect(isStampNode(node)).toBe(false);
  });
});
