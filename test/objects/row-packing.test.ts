/** How rows are cut into packs on their way to SQLite. */
import { expect, it } from "vitest";
import { Seq } from "../../src/data/ids.ts";
import { packRows, runsOfRows } from "../../src/objects/row-packing.ts";
import type { StoredRow } from "../../src/core/rows/row-store.ts";

/** What a pack is meant to stay below, whatever its rows look like. */
const PACK_BYTES_MAX = 2 ** 20;

const rowsOf = (count: number, bytes: number): StoredRow[] =>
  Array.from({ length: count }, (_, i) => ({
    row: {
      map: "m",
      key: `${i}é`,
      kind: "lww",
      sub: "",
      stamp: { millis: 1, counter: 0, node: "n1.1" },
      value: new Uint8Array(bytes),
      expiresAt: null,
    },
    seq: Seq(i + 1),
  }));

it.each([
  ["many rows of hardly anything, whose heads are longer than they are", 60_000, 0],
  ["rows of some size", 3_000, 1_000],
  ["few large rows", 20, 250_000],
])("packs of %s stay within their bound, heads and all", (_, count, bytes) => {
  const runs = runsOfRows(rowsOf(count, bytes));
  expect(runs.length).toBeGreaterThan(1);
  const sizes = runs.map((run) => {
    const { heads, blob } = packRows(run);
    expect(blob.length + heads.length).toBeLessThanOrEqual(run.size + 1);
    return heads.length + blob.length;
  });
  expect(Math.max(...sizes)).toBeLessThanOrEqual(PACK_BYTES_MAX + 1);
  expect(Math.max(...sizes), "and use it").toBeGreaterThan(PACK_BYTES_MAX / 2);
  expect(runs.flatMap(({ items }) => items)).toHaveLength(count);
});
