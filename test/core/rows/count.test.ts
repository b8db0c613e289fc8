import { describe, expect, it } from "vitest";
import { PartitionId, Seq } from "../../../src/data/ids.ts";
import { ask, keys, merge, node, P, row, type Node } from "./fixtures.ts";

describe("counts", () => {
  it("are taken once after entries were written, and kept until more are", () => {
    const n = node();
    merge(n, keys(10));
    merge(n, [row("k001", 2), row("new"), row("k002", 0), row("gone", 1, { value: null })], 11);
    expect(count(n)).toBe(12);
    expect(count(n)).toBe(12);
    expect(n.store.counts).toBe(1);
    merge(n, keys(11), 20);
    expect(count(n)).toBe(13);
    expect(n.store.counts).toBe(2);
  });

  it("are kept up where rows are read before they are written", () => {
    const n = node();
    ask(n, "digested", { type: "digest", partitionId: P, rowsMax: 1, tag: "tag" });
    merge(n, keys(10));
    merge(n, keys(12), 20);
    expect(count(n)).toBe(12);
    expect(n.store.counts).toBe(0);
  });

  it("are taken of a store that was there before", () => {
    const before = node();
    merge(before, keys(10));
    expect(count(node(before.store))).toBe(10);
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
