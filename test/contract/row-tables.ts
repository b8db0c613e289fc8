/**
 * `RowTables` against a naive model, over any store and any interleaving of merges, scans, digest slices,
 * drops and new instances. A new instance has lost all caches: no answer may show it.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { identityKey } from "../../src/core/rows/identity-key.ts";
import type { RowEffect, RowEvent } from "../../src/core/rows/effects.ts";
import type { RowStore } from "../../src/core/rows/row-store.ts";
import { RowTables } from "../../src/core/rows/tables.ts";
import type { DigestKey } from "../../src/data/digest.ts";
import { PartitionId, Seq } from "../../src/data/ids.ts";
import {
  compareIdentity,
  goneSince,
  huskOf,
  rowBytes,
  type Identity,
  type Row,
} from "../../src/data/row.ts";
import { crowdedEntry } from "./row-arbitraries.ts";
import type { WithStorage } from "./row-store.ts";
import { TablesModel } from "./tables-model.ts";
import { record } from "../actions.ts";

const PARTITIONS = [PartitionId(0), PartitionId(270)];

const partitionId = fc.constantFrom(...PARTITIONS);
const rowsMax = fc.integer({ min: 1, max: 9 });
const bytesMax = fc.constantFrom(1, 300, 100_000);
const aboveKey = fc.option(fc.constantFrom("", "k", "m"));
const rows = fc.array(crowdedEntry, { minLength: 1, maxLength: 20 });

/** What happens, most often first. */
const action = fc.oneof(
  {
    weight: 6,
    arbitrary: record("merge", { partitionId, rows, digest: fc.boolean(), fresh: fc.boolean() }),
  },
  { weight: 6, arbitrary: record("scan", { partitionId, rowsMax, bytesMax }) },
  { weight: 5, arbitrary: record("digest", { partitionId, rowsMax }) },
  { weight: 2, arbitrary: record("count", {}) },
  { weight: 2, arbitrary: record("read", { partitionId, rows }) },
  {
    weight: 2,
    arbitrary: record("list", {
      after: aboveKey,
      limit: rowsMax,
      nowMs: fc.nat(3),
    }),
  },
  {
    weight: 3,
    arbitrary: record("collect", { partitionId, rowsMax, before: fc.nat(4), again: fc.boolean() }),
  },
  { weight: 1, arbitrary: record("forget", { partitionId }) },
  { weight: 1, arbitrary: record("drop", { partitionId }) },
  { weight: 1, arbitrary: record("reopen", {}) },
  { weight: 1, arbitrary: record("rekey", {}) },
);
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

export function registerRowTablesContract(name: string, withStorage: WithStorage): void {
  describe(`row tables: ${name}`, () => {
    it("answers what the model answers, whatever happened before", async () => {
      const seen: Seen = {
        collected: 0,
        changed: 0,
        digests: 0,
        partial: 0,
        scansEnded: 0,
        interleaved: 0,
      };
      await fc.assert(
        fc.asyncProperty(fc.array(action, { minLength: 10, maxLength: 40 }), async (actions) => {
          await withStorage((open) => {
            const world = new World(open, seen);
            for (const step of actions) world.do(step);
            world.end();
          });
        }),
        { numRuns: 150 },
      );
      for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(10);
    });
  });
}

/** How often the run met what it is about. */
interface Seen {
  collected: number;
  changed: number;
  digests: number;
  partial: number;
  scansEnded: number;
  interleaved: number;
}

/** A scan that goes on from step to step, with other things happening between. */
interface RunningScan {
  readonly cut: Seq;
  readonly sent: Set<string>;
  readonly after: Identity | null;
}

class World {
  readonly #open: () => RowStore;
  readonly #seen: Seen;
  readonly #model = new TablesModel();
  readonly #scans = new Map<PartitionId, RunningScan>();
  #tables: RowTables;
  #key: DigestKey = { a: 0, b: 0 };
  #seq = Seq(0);

  constructor(open: () => RowStore, seen: Seen) {
    this.#open = open;
    this.#seen = seen;
    this.#tables = this.#opened();
  }

  do(step: Action): void {
    switch (step.type) {
      case "merge":
        return this.#merge(step);
      case "scan":
        return this.#scan(step);
      case "digest":
        return void this.#digest(step);
      case "count":
        expect(this.#ask("counted", { type: "count-rows", tag: "t" }).rows).toBe(
          this.#model.count(),
        );
        return;
      case "read":
        return this.#read(step);
      case "list":
        return this.#list(step);
      case "collect":
        return this.#collect(step);
      case "forget":
        expect(this.#tables.perform({ ...step, type: "forget-digest" })).toBeNull();
        return;
      case "drop":
        expect(this.#tables.perform({ ...step, type: "drop-rows" })).toBeNull();
        this.#model.drop(step.partitionId);
        return void this.#scans.delete(step.partitionId);
      case "reopen":
        this.#tables = this.#opened();
        return;
      case "rekey":
        this.#key = { a: this.#key.a + 1, b: 7 };
    }
  }

  end(): void {
    for (const id of PARTITIONS) {
      const slices = Array.from({ length: 200 }, () => ({ partitionId: id, rowsMax: 5 }));
      expect(slices.some((slice) => this.#digest(slice))).toBe(true);
      this.do({ type: "drop", partitionId: id });
    }
    this.do({ type: "count" });
  }

  #merge(step: Extract<Action, { type: "merge" }>): void {
    const seq = this.#takeSeqs(step.rows.length);
    const { batches } = this.#ask("merged", {
      type: "merge",
      batches: [{ ...step, seq }],
      tag: "t",
    });
    const expected = this.#model.merge(step.partitionId, step.rows, seq);
    expect(batches).toEqual([expected]);
    const changed = expected.outcomes.filter((outcome) => outcome.changed).length;
    this.#seen.changed += changed;
    if (changed > 0 && this.#scans.has(step.partitionId)) this.#seen.interleaved += 1;
  }

  #scan(step: Extract<Action, { type: "scan" }>): void {
    const scan = this.#scans.get(step.partitionId) ?? {
      cut: this.#takeSeqs(1),
      sent: new Set(),
      after: null,
    };
    const known = { cut: Seq(0), after: null };
    const answer = this.#ask("scanned", { ...step, ...scan, known, buckets: null, tag: "t" });
    expect(answer.rows.length).toBeLessThanOrEqual(step.rowsMax);
    if (answer.rows.length > 1) expect(sizeOf(answer.rows)).toBeLessThanOrEqual(step.bytesMax);
    let above = scan.after;
    for (const row of answer.rows) {
      if (above) expect(compareIdentity(row, above)).toBeGreaterThan(0);
      above = row;
      scan.sent.add(identityKey(row));
      expect(row).toEqual(this.#model.row(step.partitionId, row));
    }
    if (answer.after !== null) {
      this.#scans.set(step.partitionId, { ...scan, after: answer.after });
      return;
    }
    const wanted = this.#model.rows(step.partitionId).filter(({ seq }) => seq <= scan.cut);
    for (const { row } of wanted) expect(scan.sent).toContain(identityKey(row));
    this.#scans.delete(step.partitionId);
    if (wanted.length > 3) this.#seen.scansEnded += 1;
  }

  #digest(step: { readonly partitionId: PartitionId; readonly rowsMax: number }): boolean {
    const { buckets } = this.#ask("digested", { ...step, type: "digest", tag: "t" });
    if (buckets === null) {
      this.#seen.partial += 1;
      return false;
    }
    expect(buckets).toEqual(this.#model.buckets(step.partitionId, this.#key));
    this.#seen.digests += 1;
    return true;
  }

  /** From the start on, page by page; then all that was found, or an older state of it. */
  #collect({ partitionId: id, rowsMax: max, ...step }: Extract<Action, { type: "collect" }>): void {
    const { before, again } = step;
    const found: Row[] = [];
    for (let after: Identity | null = null, going = true; going;) {
      const looked: Extract<RowEvent<"t">, { type: "found-gone" }> = this.#ask("found-gone", {
        type: "find-gone",
        partitionId: id,
        after,
        before,
        rowsMax: max,
        tag: "t",
      });
      for (const row of looked.rows) found.push(row);
      ({ after } = looked);
      going = after !== null;
    }
    const gone = this.#model.rows(id).filter(({ row }) => {
      const since = goneSince(row);
      return since !== null && since < before;
    });
    expect(found).toEqual(gone.map(({ row }) => huskOf(row)));
    const other = found.map((row) => ({ ...row, stamp: { ...row.stamp, node: "another" } }));
    expect(this.#remove(id, other)).toEqual([]);
    const removed = this.#remove(id, found);
    expect(removed).toEqual(gone.map(({ row }) => row));
    this.#model.remove(id, removed);
    this.#seen.collected += removed.length;
    if (again) expect(this.#remove(id, found)).toEqual([]);
  }

  #remove(id: PartitionId, husks: readonly Row[]): readonly Row[] {
    const effect = { type: "collect", partitionId: id, rows: husks, tag: "t" } as const;
    return this.#ask("collected", effect).rows;
  }

  #read({ partitionId: id, rows: identities }: Extract<Action, { type: "read" }>): void {
    const batches = [{ partitionId: id, identities }];
    const answer = this.#ask("rows-read", { type: "read-rows", batches, bytesMax: 1e9, tag: "t" });
    const expected = identities.map((identity) => this.#model.row(id, identity));
    expect(answer.batches).toEqual([{ partitionId: id, rows: expected }]);
  }

  #list(step: Extract<Action, { type: "list" }>): void {
    const query = { ...step, map: "m", prefix: "", partitionIds: PARTITIONS };
    const { lists } = this.#ask("listed", { ...query, type: "list-rows", tag: "t" });
    const expected = this.#model.list(PARTITIONS, query);
    // At its limit a list may not know yet that only invisible rows follow.
    const last = expected.length - 1;
    const wentOn = lists.map((listed, i) =>
      i === last && expected[i]?.done ? { ...listed, done: true } : listed,
    );
    expect(wentOn).toEqual(expected);
  }

  #ask<T extends RowEvent<"t">["type"]>(
    type: T,
    effect: RowEffect<"t">,
  ): Extract<RowEvent<"t">, { type: T }> {
    const event = this.#tables.perform(effect);
    expect(event).toMatchObject({ type, tag: "t" });
    return event as Extract<RowEvent<"t">, { type: T }>;
  }

  #opened(): RowTables {
    return new RowTables(this.#open(), () => this.#key);
  }

  #takeSeqs(count: number): Seq {
    const first = Seq(this.#seq + 1);
    this.#seq = Seq(this.#seq + count);
    return first;
  }
}

const sizeOf = (of: readonly Row[]): number => of.reduce((sum, row) => sum + rowBytes(row), 0);
