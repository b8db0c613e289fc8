import { describe, expect, it } from "vitest";
import type { Count } from "../../../src/core/rows/row-store.ts";
import { COUNT_ROWS_MAX } from "../../../src/core/rows/tables.ts";
import { PartitionId, Seq } from "../../../src/data/ids.ts";
import type { Identity } from "../../../src/data/row.ts";
import { ask, CountingStore, keys, merge, node, P, row, type Node } from "./fixtures.ts";

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

  it("of a large store are taken a part at a time, and after some they are exact", () => {
    const store = new LargeStore();
    const n = node(store);
    const all = LargeStore.TABLES * LargeStore.ROWS;
    for (let known = COUNT_ROWS_MAX; known < all; known += COUNT_ROWS_MAX) {
      store.passed = 0;
      expect(count(n)).toBe(known);
      expect(store.passed).toBe(COUNT_ROWS_MAX);
    }
    expect(count(n)).toBe(all);
    store.passed = 0;
    expect(count(n)).toBe(all);
    expect(store.passed, "counted once").toBe(0);
  });

  it("that are under way when rows are added are taken again", () => {
    const n = node(new LargeStore());
    count(n);
    ask(n, "digested", { type: "digest", partitionId: P, rowsMax: 1, tag: "tag" });
    merge(n, keys(5));
    for (let i = 0; i < 20; i++) count(n);
    expect(n.store.counts).toBeGreaterThan(LargeStore.TABLES);
    const { counts } = n.store;
    count(n);
    expect(n.store.counts).toBe(counts);
  });

  it("come with what the store says it has used", () => {
    const n = node();
    merge(n, keys(10));
    const { bytes, rowsWritten } = ask(n, "counted", { type: "count-rows", tag: "tag" });
    expect({ bytes, rowsWritten }).toEqual(n.store.usage());
    expect(rowsWritten).toBe(10);
  });
});

/** Says that it has many rows. */
class LargeStore extends CountingStore {
  static readonly TABLES = 4;
  static readonly ROWS = 150_000;
  passed = 0;

  override partitions(): readonly PartitionId[] {
    return Array.from({ length: LargeStore.TABLES }, (_, i) => PartitionId(i));
  }
  override countFrom(_: PartitionId, after: Identity | null, rowsMax: number): Count {
    this.counts += 1;
    const from = Number(after?.key ?? 0);
    const to = Math.min(LargeStore.ROWS, from + rowsMax);
    this.passed += to - from;
    return { rows: to - from, upTo: to < LargeStore.ROWS ? row(String(to)) : "end" };
  }
}

const count = (on: Node): number => ask(on, "counted", { type: "count-rows", tag: "tag" }).rows;
