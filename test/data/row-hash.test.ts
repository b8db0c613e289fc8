import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RowHash } from "../../src/data/row-hash.ts";
import type { Row } from "../../src/data/row.ts";
import { anyText, KINDS, row, SAME } from "./arbitraries.ts";
import { halfSip, wordsOf, wordsOfRow } from "./sip-oracle.ts";

const KEY = [0x03020100, 0x07060504] as const;

/** `vectors_hsip64` of https://github.com/veorq/SipHash: key 00..07, input 00, 01, .. of length i. */
const PUBLISHED_2_4 = [
  "218d1f59b9b83cc8",
  "be552412f8387315",
  "064f39ef7c50eb57",
  "ce0f1a45f7060679",
  "d5e78a175be52ea1",
  "cb9d7c3f2f3db580",
  "ce3e91358aa2bc25",
  "ff202728b07bc684",
  "edfee820bce4858c",
  "5b51cccc13888307",
  "95b0469f06a6f2ee",
];

const base: Row = {
  ...SAME,
  stamp: { millis: 1_800_000_000_000, counter: 3, node: "n1.2" },
  value: Uint8Array.of(1, 2, 3),
  expiresAt: 1_800_000_060_000,
};
const patterned = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i * 7 + 1);

describe("row hash", () => {
  it.each(PUBLISHED_2_4.map((hash, length) => ({ hash, length })))(
    "has an oracle that knows HalfSipHash: $length bytes give $hash",
    ({ hash, length }) => {
      const input = Uint8Array.from({ length }, (_, i) => i);
      const words = wordsOf(input);
      if (length % 4 === 0) words.push(0);
      words.push((words.pop() ?? 0) | (length << 24)); // the original's last word
      const out = Buffer.alloc(8);
      halfSip({ c: 2, d: 4 }, KEY, words).forEach((lane, i) => out.writeUInt32LE(lane, i * 4));
      expect(out.toString("hex")).toBe(hash);
    },
  );

  const expectOracle = (hash: RowHash, r: Row): void => {
    expect([...hash.hash(r)]).toEqual(halfSip({ c: 1, d: 3 }, KEY, wordsOfRow(r)));
  };

  it("is HalfSipHash-1-3 of the row's words, row after row", () => {
    const hash = new RowHash(...KEY);
    fc.assert(
      fc.property(row, anyText, (r, key) => {
        expectOracle(hash, r);
        expectOracle(hash, { ...r, key });
      }),
      { numRuns: 1_000 },
    );
  });

  it("is the same when a value or a text is longer than its scratch memory", () => {
    const hash = new RowHash(...KEY);
    const lengths = [...Array(12).keys(), ...Array.from({ length: 120 }, (_, i) => 920 + i)];
    for (const length of [...lengths, 2_040, 2_048, 2_049, 16_384, 262_144]) {
      expectOracle(hash, { ...base, value: patterned(length) });
    }
    for (const length of [...Array(12).keys(), ...Array.from({ length: 60 }, (_, i) => 460 + i)]) {
      expectOracle(hash, { ...base, key: "k".repeat(length) });
      expectOracle(hash, { ...base, map: "日".repeat(length), sub: "s".repeat(1_500) });
    }
  });

  it("reads a value that is a view of a larger buffer", () => {
    const hash = new RowHash(...KEY);
    expectOracle(hash, { ...base, value: patterned(3_000).subarray(3, 2_001) });
    expectOracle(hash, { ...base, value: patterned(300).subarray(3, 8) });
  });

  it("is frozen", () => {
    const hex = (r: Row): string =>
      [...new RowHash(...KEY).hash(r)].map((lane) => lane.toString(16).padStart(8, "0")).join("");
    expect(hex(base)).toBe("6079e3523876c831");
    expect(hex({ ...base, value: null, expiresAt: null })).toBe("c2ebbac94805e586");
    expect(Object.fromEntries(KINDS.map((kind) => [kind, hex({ ...base, kind })]))).toEqual({
      lww: "6079e3523876c831",
      or: "b1b35222e45f99da",
      pn: "d4449d1e3558b5ba",
      event: "5397ec4738f1fdc7",
      snapshot: "c95028c8ca941182",
    });
  });

  it("gives 100,000 rows as many hashes, in each lane nearly so", () => {
    const hash = new RowHash(...KEY);
    const [both, first, second] = [new Set<bigint>(), new Set<number>(), new Set<number>()];
    for (let i = 0; i < 100_000; i++) {
      const [lane0 = 0, lane1 = 0] = hash.hash({ ...base, key: `user:${i}` });
      first.add(lane0);
      second.add(lane1);
      both.add((BigInt(lane0) << 32n) | BigInt(lane1));
    }
    expect(both.size).toBe(100_000);
    expect(first.size).toBeGreaterThan(99_990); // 1.2 collisions of 32 bits are to be expected
    expect(second.size).toBeGreaterThan(99_990);
  });

  it("changes half of its bits with any one bit of the value", () => {
    const hash = new RowHash(...KEY);
    const value = patterned(16);
    const before = [...hash.hash({ ...base, value })];
    const flips = Array.from({ length: 128 }, (_, bit) => {
      const changed = value.map((byte, i) => (i === bit >>> 3 ? byte ^ (1 << (bit & 7)) : byte));
      const after = hash.hash({ ...base, value: changed });
      return before.map((lane, i) => ones(lane ^ (after[i] ?? 0)));
    });
    for (const lane of [0, 1]) {
      const counts = flips.map((flip) => flip[lane] ?? 0);
      expect(Math.min(...counts)).toBeGreaterThanOrEqual(4); // of 32
      const mean = counts.reduce((a, b) => a + b) / counts.length;
      expect(mean).toBeGreaterThan(15);
      expect(mean).toBeLessThan(17);
    }
  });
});

const ones = (word: number): number => (word >>> 0).toString(2).replaceAll("0", "").length;
