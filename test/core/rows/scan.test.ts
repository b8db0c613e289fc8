import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Resume, ScanEffect, Scanned } from "../../../src/core/rows/effects.ts";
import { bucketOf } from "../../../src/data/digest.ts";
import { Seq } from "../../../src/data/ids.ts";
import { identityOf, rowBytes, type Identity, type Row } from "../../../src/data/row.ts";
import { crowdedEntry } from "../../contract/row-arbitraries.ts";
import { all, ask, keys, merge, node, P, row, type Node } from "./fixtures.ts";

const NOTHING: Resume = { cut: Seq(0), after: null };

describe("scan", () => {
  it("sends each row once, in key order, within its bounds", () => {
    const n = node();
    merge(n, keys(100).toReversed());
    const chunks = scanAll(n, { rowsMax: 7 });
    expect(chunks.flat()).toEqual(keys(100));
    expect(Math.max(...chunks.map((chunk) => chunk.length))).toBe(7);
    const bytesMax = 10 * rowBytes(row("k000")) + 1;
    const bySize = scanAll(n, { bytesMax });
    expect(bySize.flat()).toEqual(keys(100));
    expect(Math.max(...bySize.map((chunk) => chunk.length))).toBe(10);
  });

  it("sends a row larger than the bound, alone", () => {
    const n = node();
    const large = row("k1", 1, { value: new Uint8Array(5_000) });
    merge(n, [row("k0"), large, row("k2")]);
    expect(scanAll(n, { bytesMax: 500 })).toEqual([[row("k0")], [large], [row("k2")]]);
  });

  it("leaves out what changed after the cut", () => {
    const n = node();
    merge(n, keys(10), 1);
    merge(n, [row("k003", 2), row("new", 2)], 11);
    expect(scanAll(n, { cut: Seq(10) }).flat()).toEqual(
      keys(10).filter(({ key }) => key !== "k003"),
    );
  });

  it("goes on where a copy stands: its older rows up to a key are not sent again", () => {
    const n = node();
    merge(n, keys(10), 1);
    merge(n, [row("k001", 2)], 20);
    const at = (after: Resume["after"]): string[] =>
      scanAll(n, { known: { cut: Seq(10), after } })
        .flat()
        .map(({ key }) => key);
    expect(at(null)).toHaveLength(10);
    expect(at(identityOf(row("k007")))).toEqual(["k001", "k008", "k009"]);
    expect(at("end")).toEqual(["k001"]);
  });

  it("sends only rows of the buckets asked for, and reads on until that is worth a chunk", () => {
    const n = node();
    const rows = keys(100);
    merge(n, rows);
    const buckets = [...new Set(rows.slice(0, 5).map(bucketOf))];
    const wanted = rows.filter((each) => buckets.includes(bucketOf(each)));
    const { pages } = n.store;
    const chunks = scanAll(n, { buckets, rowsMax: 50 });
    expect(chunks.flat()).toEqual(wanted);
    expect(chunks).toHaveLength(1);
    expect(n.store.pages - pages).toBe(3);
  });

  it("gives up after a few pages without a wanted row, and says where to go on", () => {
    const n = node();
    merge(n, keys(100));
    const first = scan(n, { cut: Seq(0), rowsMax: 10 });
    expect(first).toEqual({ rows: [], after: identityOf(row("k039")) });
    expect(scanAll(n, { cut: Seq(0), rowsMax: 10 }).flat()).toEqual([]);
  });

  it("lets a copy end with everything, writes between, a loss and a resume included [I5]", () => {
    const batch = fc.array(crowdedEntry, { minLength: 1, maxLength: 8 });
    const plan = fc.record({
      before: fc.array(crowdedEntry, { minLength: 5, maxLength: 40 }),
      during: fc.array(batch, { maxLength: 6 }),
      missed: fc.array(batch, { maxLength: 3 }),
      lostAfter: fc.nat(4),
      rowsMax: fc.integer({ min: 1, max: 6 }),
    });
    let resumed = 0;
    fc.assert(
      fc.property(plan, ({ before, during, missed, lostAfter, rowsMax }) => {
        const owner = node();
        const copy = node();
        let seq = 1;
        const write = (rows: readonly Row[], sent: boolean): void => {
          merge(owner, rows, seq);
          seq += rows.length;
          if (sent) merge(copy, rows);
        };
        write(before, false);
        let known = NOTHING;
        const stream = (writes: readonly (readonly Row[])[], chunksMax: number): void => {
          const cut = Seq(seq++);
          let after: Identity | null = null;
          for (let chunk = 0; chunk < chunksMax; chunk++) {
            const scanned: Scanned = scan(owner, { after, cut, known, rowsMax });
            merge(copy, scanned.rows);
            write(writes[chunk] ?? [], true);
            ({ after } = scanned);
            if (after === null) break;
          }
          // Deltas up to here have arrived, and the rows up to `after`: what the owner saves of it.
          if (known.after === null) known = after === null ? NOTHING : { cut: Seq(seq - 1), after };
        };
        stream(during, lostAfter);
        if (known.after !== null) resumed += 1;
        for (const rows of missed) write(rows, false);
        stream(during, 1_000);
        expect(all(copy)).toEqual(all(owner));
      }),
      { numRuns: 300 },
    );
    expect(resumed).toBeGreaterThan(50);
  });
});

type Change = Partial<Omit<ScanEffect<"tag">, "type" | "tag">>;

function scan(on: Node, change: Change): Scanned {
  const { rows, after } = ask(on, "scanned", {
    type: "scan",
    partitionId: P,
    after: null,
    cut: Seq(1_000_000),
    known: NOTHING,
    buckets: null,
    bytesMax: 1e6,
    rowsMax: 1_000,
    ...change,
    tag: "tag",
  });
  return { rows, after };
}

function scanAll(on: Node, change: Change): (readonly Row[])[] {
  const chunks: (readonly Row[])[] = [];
  let after: Identity | null = null;
  do {
    const scanned = scan(on, { ...change, after });
    if (scanned.rows.length > 0) chunks.push(scanned.rows);
    ({ after } = scanned);
  } while (after !== null);
  return chunks;
}
