/** What a follower of a map is given, page by page, beside what there is. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { RowsFound } from "../../../src/core/rows/fetch.ts";
import { Seq } from "../../../src/data/ids.ts";
import { compareIdentity, isOfMap, type Identity } from "../../../src/data/row.ts";
import { KINDS, rowOf } from "../../data/arbitraries.ts";
import { all, ask, merge, node, P } from "./fixtures.ts";

const key = fc.constantFrom<string>("", "m", "mm", "k", "none");
/** Of a journal as often as not. */
const identity = fc.record({
  map: fc.constantFrom("m", "m", "mm"),
  key,
  kind: fc.constantFrom(...KINDS, "event" as const),
  sub: fc.constantFrom("", "a", "b", "c", "d"),
});
const rows = fc.array(rowOf(identity), { minLength: 10, maxLength: 60 });
const wanted = fc.record({
  prefix: fc.constantFrom("", "m", "k"),
  keys: fc.option(fc.array(key, { maxLength: 4 }), { freq: 2 }),
  since: fc.option(fc.nat(40).map(Seq), { freq: 2 }),
});
const bounds = fc.record({
  rowsMax: fc.integer({ min: 2, max: 6 }),
  bytesMax: fc.constantFrom(1, 300, 100_000),
});

it("is every row of the map that was asked for once, in order, and each page goes on", () => {
  const seen = { found: 0, wordless: 0, cut: 0 };
  fc.assert(
    fc.property(rows, wanted, bounds, (written, { prefix, keys, since }, { rowsMax, bytesMax }) => {
      const n = node();
      merge(n, written);
      const query = { partitionId: P, map: "m", prefix: keys ? "" : prefix, keys, since };
      const found: Identity[] = [];
      const pageBehind = (after: Identity | null): RowsFound | undefined => {
        const wants = [{ ...query, after }];
        const effect = {
          type: "fetch-rows",
          wanted: wants,
          rowsMax,
          bytesMax,
          tag: "tag",
        } as const;
        return ask(n, "fetched", effect).found[0];
      };
      for (let after: Identity | null = null; ;) {
        const page: RowsFound = pageBehind(after) ?? expect.fail("nothing was looked at");
        found.push(...page.rows);
        if (page.after === null) break;
        seen.cut++;
        if (page.rows.length === 0) seen.wordless++;
        expect(after === null || compareIdentity(after, page.after) < 0).toBe(true);
        ({ after } = page);
      }
      const seqs = new Map(n.store.page(P, null, LARGE).rows.map(({ row, seq }) => [row, seq]));
      const there = all(n).filter(
        (row) =>
          row.map === "m" &&
          isOfMap(row) &&
          (keys?.includes(row.key) ?? row.key.startsWith(prefix)) &&
          (since === null || (seqs.get(row) ?? 0) > since),
      );
      expect(found).toEqual(there);
      seen.found += found.length;
    }),
    { numRuns: 2_000 },
  );
  expect(seen.found).toBeGreaterThan(2_000);
  expect(seen.cut).toBeGreaterThan(2_000);
  expect(seen.wordless).toBeGreaterThan(100);
});

const LARGE = { rowsMax: 1_000, bytesMax: 1e9 };
