/** Rows of one key and kind, as every `RowStore` must find them. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RangeQuery } from "../../src/core/rows/row-store.ts";
import { identityKey } from "../../src/core/rows/identity-key.ts";
import { PartitionId, Seq } from "../../src/data/ids.ts";
import { compareIdentity, rowBytes, type Row } from "../../src/data/row.ts";
import { compareText } from "../../src/data/text.ts";
import { KINDS, rowOf, wellFormedText } from "../data/arbitraries.ts";
import { bounds } from "./row-arbitraries.ts";
import type { WithStorage } from "./row-store.ts";

const P = PartitionId(7);

const sub = fc.oneof(fc.constantFrom("", "a", "aa", "ab", "b", "\u{10ffff}"), wellFormedText);
const place = fc.record({
  map: fc.constantFrom("m", "m", "mm"),
  key: fc.constantFrom("k", "kk"),
  kind: fc.constantFrom(...KINDS),
});
const rows = fc.uniqueArray(
  rowOf(fc.tuple(place, sub).map(([at, text]) => ({ ...at, sub: text }))),
  { minLength: 10, maxLength: 60, selector: identityKey },
);

const isIn = (row: Row, { map, key, kind, prefix, after }: RangeQuery): boolean =>
  row.map === map &&
  row.key === key &&
  row.kind === kind &&
  row.sub.startsWith(prefix) &&
  (after === null || compareText(row.sub, after) > 0);

export function registerRowRangesContract(name: string, withStorage: WithStorage): void {
  describe(`row ranges: ${name}`, () => {
    it("has none where there is no table", () =>
      withStorage((open) => {
        const query = { map: "m", key: "k", kind: "or", prefix: "", after: null } as const;
        const page = open().range(P, { ...query, rowsMax: 9, bytesMax: 999 });
        expect(page).toEqual({ rows: [], done: true });
      }));

    it("has those of that key and kind, in order, as far as the bounds allow", async () => {
      const seen = { rows: 0, cut: 0 };
      const query = fc.tuple(place, fc.oneof(fc.constant(""), sub), fc.option(sub), bounds);
      await fc.assert(
        fc.asyncProperty(
          rows,
          fc.array(query, { minLength: 30, maxLength: 40 }),
          async (all, queries) => {
            await withStorage((open) => {
              const store = open();
              store.write(
                P,
                all.map((row, i) => ({ row, seq: Seq(i + 1) })),
              );
              for (const [at, prefix, after, { rowsMax, bytesMax }] of queries) {
                const asked = { ...at, prefix, after, rowsMax, bytesMax };
                const inRange = all.filter((row) => isIn(row, asked)).toSorted(compareIdentity);
                const page = store.range(P, asked);
                const found = page.rows.map(({ row }) => row);
                expect(found).toEqual(inRange.slice(0, found.length));
                expect(page.done).toBe(found.length === inRange.length);
                expect(found.length > 0 || inRange.length === 0).toBe(true);
                const bytes = found.reduce((sum, row) => sum + rowBytes(row), 0);
                expect(found.length <= rowsMax && (found.length === 1 || bytes <= bytesMax)).toBe(
                  true,
                );
                seen.rows += found.length;
                seen.cut += page.done ? 0 : 1;
              }
            });
          },
        ),
        { numRuns: 40 },
      );
      expect(seen.rows).toBeGreaterThan(100);
      expect(seen.cut).toBeGreaterThan(20);
    });
  });
}
