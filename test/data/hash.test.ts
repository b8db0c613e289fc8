import { describe, expect, it } from "vitest";
import { fnv1a32, partitionOf } from "../../src/data/hash.ts";

/** Shared with every client in every language. A change here loses everybody's keys. */
const VECTORS: readonly (readonly [key: string, hash: number, of271: number])[] = [
  ["", 2166136261, 199],
  ["hello", 1335831723, 95],
  ["key1", 927623783, 268],
  ["user:alice", 927278352, 91],
  ["é", 1812687940, 105],
  ["日本", 1610399396, 53],
  ["😀", 3409036472, 102],
];

describe("partition of a key", () => {
  it.each(VECTORS)("%j hashes to %d, partition %d", (key, hash, partition) => {
    expect(fnv1a32(key)).toBe(hash);
    expect(partitionOf(key, 271)).toBe(partition);
  });

  it("spreads keys: 100 a partition, never below 60 nor above 150", () => {
    const loads = Array.from({ length: 271 }, () => 0);
    for (let i = 0; i < 27_100; i++) {
      const partition = partitionOf(`user:${i}`, 271);
      loads[partition] = (loads[partition] ?? 0) + 1;
    }
    expect(loads.reduce((sum, load) => sum + load)).toBe(27_100);
    expect(loads.length).toBe(271);
    expect(Math.min(...loads)).toBeGreaterThan(60);
    expect(Math.max(...loads)).toBeLessThan(150);
  });

  it("has one partition, or a bug", () => {
    expect(partitionOf("any", 1)).toBe(0);
    expect(() => partitionOf("any", 0)).toThrow("BUG");
  });
});
