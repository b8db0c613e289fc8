import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareIdentity } from "../../../src/data/row.ts";
import { PartitionId, Seq } from "../../../src/data/ids.ts";
import { crowdedRow } from "../../contract/row-arbitraries.ts";
import { all, ask, digest, digestOf, merge, node, P, row } from "./fixtures.ts";

const NOTHING = { rowsMax: 100, bytesMax: 1e6 };

describe("merge", () => {
  it("says of each row whether it changed the table, and which stamp stands", () => {
    const n = node();
    merge(n, [row("a", 5), row("b", 5)]);
    const rows = [row("a", 6), row("b", 4), row("c", 1), row("a", 6)];
    const batches = [{ partitionId: P, rows, seq: Seq(10) }];
    const [batch] = ask(n, "merged", { type: "merge", batches, tag: "tag" }).batches;
    expect(batch?.outcomes.map(({ changed, stamp }) => [changed, stamp.millis])).toEqual([
      [true, 6],
      [false, 5],
      [true, 1],
      [false, 6],
    ]);
  });

  it("gives a row the seq of the place in the batch that won last", () => {
    const n = node();
    merge(n, [row("a", 1), row("b", 9), row("a", 3), row("a", 2), row("b", 8)], 100);
    const { rows } = n.store.page(P, null, NOTHING);
    expect(rows.map((stored) => [stored.row.key, stored.row.stamp.millis, stored.seq])).toEqual([
      ["a", 3, 102],
      ["b", 9, 101],
    ]);
  });

  it("takes a long batch as it would its rows one by one, with a digest to keep or without", () => {
    const rows = Array.from({ length: 700 }, (_, i) => row(`k${i % 90}`, (i * 7_919) % 31));
    for (const kept of [false, true]) {
      const [together, single] = [node(), node()];
      const changed = merge(together, rows, 100, kept);
      const one = rows.flatMap((each, i) => merge(single, [each], 100 + i, kept));
      expect(changed).toEqual(one);
      expect(new Set(changed).size).toBe(2);
      expect(together.store.page(P, null, NOTHING)).toEqual(single.store.page(P, null, NOTHING));
      expect(digest(together)).toEqual(digestOf(all(single)));
    }
  });

  it("writes an identity once however often a batch repeats it, and nothing for equal or losing rows", () => {
    const n = node();
    merge(
      n,
      [1, 2, 3, 4].map((millis) => row("a", millis)),
    );
    expect(n.store.usage().rowsWritten).toBe(1);
    expect(merge(n, [row("a", 4), row("a", 3)], 50)).toEqual([false, false]);
    expect(n.store.usage().rowsWritten).toBe(1);
    expect(n.store.read(P, [row("a")])[0]?.seq).toBe(4);
  });

  it("lets a late write not undo a delete [I14]", () => {
    const n = node();
    merge(n, [row("a", 2, { value: null })]);
    expect(merge(n, [row("a", 1), row("a", 2)])).toEqual([false, false]);
    expect(all(n)).toEqual([row("a", 2, { value: null })]);
  });

  it("makes no table for an empty batch", () => {
    const n = node();
    merge(n, []);
    expect(n.store.partitions()).toEqual([]);
  });

  it("merges each batch into its own partition", () => {
    const n = node();
    const batches = [1, 2].map((id) => ({
      partitionId: PartitionId(id),
      rows: [row(`k${id}`)],
      seq: Seq(id),
    }));
    const merged = ask(n, "merged", { type: "merge", batches, tag: "tag" }).batches;
    expect(merged.map(({ partitionId }) => partitionId)).toEqual([1, 2]);
    expect(n.store.read(PartitionId(2), [row("k1"), row("k2")]).map(Boolean)).toEqual([
      false,
      true,
    ]);
  });

  it("ends in the same rows in whatever order, grouping and repetition", () => {
    const groups = fc.array(fc.array(crowdedRow, { minLength: 1, maxLength: 12 }), {
      maxLength: 8,
    });
    const shuffled = groups.chain((batches) =>
      fc.tuple(
        fc.constant(batches),
        fc.shuffledSubarray(batches.flat(), { minLength: batches.flat().length }),
        fc.shuffledSubarray(batches.flat()),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([batches, order, repeated]) => {
        const a = node();
        const b = node();
        for (const batch of batches) merge(a, batch);
        merge(b, [...order, ...repeated]);
        expect(all(b)).toEqual(all(a));
        expect(all(a)).toEqual(all(a).toSorted(compareIdentity));
      }),
    );
  });
});
