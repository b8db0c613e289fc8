import { describe, expect, it } from "vitest";
import { PartitionId, Seq } from "../../../src/data/ids.ts";
import { ask, keys, merge, node, P, row, type Node } from "./fixtures.ts";

describe("counts", () => {
  it("are kept by merges, not counted again", () => {
    const n = node();
    merge(n, keys(10));
    merge(n, [row("k001", 2), row("new"), row("k002", 0), row("gone", 1, { value: null })], 11);
    expect(count(n)).toBe(12);
    expect(n.store.counts).toBe(0);
  });

  it("are taken once from a store that was there before", () => {
    const before = node();
    merge(before, keys(10));
    const n = node(before.store);
    merge(n, [row("first", 1)], 11);
    expect(count(n)).toBe(11);
    merge(n, [row("second", 1)], 12);
    expect(count(n)).toBe(12);
    expect(n.store.counts).toBe(1);
  });

  it("cover all partitions and end with a drop", () => {
    const n = node();
    merge(n, keys(10));
    const batches = [{ partitionId: PartitionId(9), rows: keys(5), seq: Seq(20) }];
    ask(n, "merged", { type: "merge", batches, tag: "tag" });
    expect(count(n)).toBe(15);
    expect(n.tables.perform({ type: "drop-rows", partitionId: P })).toBeNull();
    expect(count(n)).toBe(5);
    merge(n, keys(2));
    expect(count(n)).toBe(7);
  });

  it("come with what the store says it has used", () => {
    const n = node();
    merge(n, keys(10));
    const { bytes, rowsWritten } = ask(n, "counted", { type: "count-rows", tag: "tag" });
    expect({ bytes, rowsWritten }).toEqual(n.store.usage());
    expect(rowsWritten).toBe(10);
  });
});

const count = (on: Node): number => ask(on, "counted", { type: "count-rows", tag: "tag" }).rows;
