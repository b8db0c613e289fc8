import { describe, expect, it } from "vitest";
import { RowTables } from "../../../src/core/rows/tables.ts";
import { Digest } from "../../../src/data/digest.ts";
import { Seq } from "../../../src/data/ids.ts";
import {
  all,
  ask,
  CountingStore,
  digest,
  digestOf,
  keys,
  merge,
  node,
  P,
  row,
} from "./fixtures.ts";

describe("digest", () => {
  it("is built in slices of so many rows", () => {
    const n = node();
    merge(n, keys(25));
    expect(digest(n, 10)).toBeNull();
    expect(digest(n, 10)).toBeNull();
    expect(digest(n, 10)).toEqual(digestOf(keys(25)));
  });

  it("is there at once for a table whose first row asked for it, without reading any", () => {
    const n = node();
    merge(n, keys(10), 1, true);
    merge(n, [row("k003", 2)], 11, true);
    expect(digest(n, 1)).toEqual(digestOf(all(n)));
    expect(n.store.pages).toBe(1); // by `all`
  });

  it("is read anew for a table that had rows before anybody asked", () => {
    const n = node();
    merge(n, keys(10));
    merge(n, keys(20), 11, true);
    expect(digest(n, 5)).toBeNull();
    expect(digest(n)).toEqual(digestOf(keys(20)));
  });

  it("takes in what a scan passes, so that the owner of a new copy reads its rows once", () => {
    const n = node();
    merge(n, keys(30));
    const scanning = {
      type: "scan",
      partitionId: P,
      cut: Seq(0), // nothing is sent; all is passed
      known: { cut: Seq(0), after: null },
      buckets: null,
      bytesMax: 1e6,
      rowsMax: 5,
      tag: "tag",
    } as const;
    const { after } = ask(n, "scanned", { ...scanning, after: null });
    merge(n, [row("k001", 2), row("k029", 2)], 100); // below the cursor, above the cursor
    ask(n, "scanned", { ...scanning, after });
    const { pages } = n.store;
    expect(digest(n, 1)).toEqual(digestOf([...all(n)]));
    expect(n.store.pages).toBe(pages + 1);
  });

  it("ignores a scan that goes on from a place it has not come to", () => {
    const n = node();
    merge(n, keys(30));
    expect(digest(n, 5)).toBeNull();
    ask(n, "scanned", {
      type: "scan",
      partitionId: P,
      after: row("k010"),
      cut: Seq(0),
      known: { cut: Seq(0), after: null },
      buckets: null,
      bytesMax: 1e6,
      rowsMax: 100,
      tag: "tag",
    });
    expect(digest(n, 5)).toBeNull();
    expect(digest(n, 100)).toEqual(digestOf(keys(30)));
  });

  it("starts over with the table after a drop", () => {
    const n = node();
    merge(n, keys(10), 1, true);
    n.tables.perform({ type: "drop-rows", partitionId: P });
    expect(digest(n)).toEqual(digestOf([]));
    n.tables.perform({ type: "drop-rows", partitionId: P });
    merge(n, keys(3), 20, true);
    expect(digest(n, 1)).toEqual(digestOf(keys(3)));
  });

  it("sees what a lost row would change: a value under an equal stamp", () => {
    const a = node();
    const b = node();
    merge(a, [row("k", 1, { value: Uint8Array.of(1) })]);
    merge(b, [row("k", 1, { value: Uint8Array.of(2) })]);
    expect(digest(a)).not.toEqual(digest(b));
  });

  it("counts nothing under the key of another cluster", () => {
    const store = new CountingStore();
    let key = { a: 0, b: 0 };
    const n = { store, tables: new RowTables(store, () => key) };
    merge(n, keys(10), 1, true);
    key = { a: 1, b: 1 };
    const expected = new Digest(key);
    for (const each of keys(10)) expected.add(each);
    expect(digest(n)).toEqual(expected.buckets());
  });

  it("reads large rows a few at a time, and all that it is asked for", () => {
    const n = node();
    const value = new Uint8Array(200_000);
    const rows = keys(9).map((each) => ({ ...each, value }));
    merge(n, rows);
    expect(digest(n)).toEqual(digestOf(rows));
    expect(n.store.pages).toBe(9);
  });
});
