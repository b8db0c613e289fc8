/** An actor's journal as `RowTables` must find it over any store, and as nobody else may. */
import { describe, expect, it } from "vitest";
import type { RowEffect, RowEvent } from "../../src/core/rows/effects.ts";
import type { RowsFound } from "../../src/core/rows/fetch.ts";
import type { JournalRead } from "../../src/core/rows/journal.ts";
import { RowTables } from "../../src/core/rows/tables.ts";
import { countSub, encodeTotal } from "../../src/data/count.ts";
import { COUNT_STAMP } from "../../src/data/count-stamp.ts";
import { elementSub } from "../../src/data/element.ts";
import { PartitionId, Seq } from "../../src/data/ids.ts";
import { compareIdentity, rowBytes, type Identity, type Of, type Row } from "../../src/data/row.ts";
import { sequenceIn, sequenceSub } from "../../src/data/sequence.ts";
import type { WithStorage } from "./row-store.ts";

const P = PartitionId(7);
const ANN = { map: "account", key: "ann" };
const STAMP = { millis: 7, counter: 0, node: "n1.1" };
const VALUE = Uint8Array.of(1, 2, 3);

const entry = (of: Of, sequence: number, value: Uint8Array = VALUE): Row => ({
  ...of,
  kind: "event",
  sub: sequenceSub(sequence),
  stamp: STAMP,
  value,
  expiresAt: null,
});

const entries = (of: Of, count: number, value?: Uint8Array): Row[] =>
  Array.from({ length: count }, (_, i) => entry(of, i + 1, value));

const snapshot = (of: Of, sequence: number): Row => ({
  ...entry(of, 1),
  kind: "snapshot",
  sub: "",
  stamp: { ...STAMP, millis: sequence },
});

/** What has a key of its own in a map: an entry, an element of a set, one side of a counter. */
const ofMap = (of: Of): Row[] => [
  { ...entry(of, 1), kind: "lww", sub: "" },
  { ...entry(of, 1), kind: "or", sub: elementSub(VALUE, STAMP) },
  {
    ...entry(of, 1),
    kind: "pn",
    sub: countSub("c1", "inc"),
    stamp: COUNT_STAMP,
    value: encodeTotal(5),
  },
];

/** Before it, behind it, and under names that run together alike. */
const NEIGHBOURS: readonly Of[] = [
  { map: "account", key: "" },
  { map: "account", key: "an" },
  { map: "account", key: "anna" },
  { map: "account", key: "bob" },
  { map: "accoun", key: "tann" },
  { map: "accounta", key: "nn" },
];
const AROUND = NEIGHBOURS.flatMap((of) => [...entries(of, 30), snapshot(of, 9), ...ofMap(of)]);

class Tables {
  readonly #tables: RowTables;
  #seq = 1;

  constructor(tables: RowTables) {
    this.#tables = tables;
  }

  merge(rows: readonly Row[]): void {
    const batches = [{ partitionId: P, rows, seq: Seq(this.#seq) }];
    this.#seq += rows.length;
    this.ask("merged", { type: "merge", batches, tag: "t" });
  }

  ask<T extends RowEvent<"t">["type"]>(
    type: T,
    effect: RowEffect<"t">,
  ): Extract<RowEvent<"t">, { type: T }> {
    const event = this.#tables.perform(effect);
    expect(event).toMatchObject({ type, tag: "t" });
    return event as Extract<RowEvent<"t">, { type: T }>;
  }

  journal(after: number | null, of: Of = ANN): JournalRead {
    return this.ask("journal-read", { type: "read-journal", partitionId: P, of, after, tag: "t" });
  }

  /** Page by page, as a replay reads it. */
  pages(of: Of = ANN, from: number | null = null): JournalRead[] {
    const pages: JournalRead[] = [];
    for (let after = from, done = false; !done;) {
      const page = this.journal(after, of);
      pages.push(page);
      const last = page.entries.at(-1);
      done = page.done;
      if (!done) after = sequenceIn(last?.sub ?? "") ?? expect.fail("no entry, and not done");
    }
    return pages;
  }
}

export function registerRowJournalsContract(name: string, withStorage: WithStorage): void {
  const rule = (text: string, check: (tables: Tables) => void): void =>
    it(text, () =>
      withStorage((open) => {
        check(new Tables(new RowTables(open(), () => ({ a: 1, b: 2 }))));
      }),
    );

  describe(`journals: ${name}`, () => {
    rule("is none where there is no table, and where only others have one", (tables) => {
      expect(tables.journal(null)).toMatchObject({ snapshot: null, entries: [], done: true });
      tables.merge(AROUND);
      expect(tables.journal(null)).toMatchObject({ snapshot: null, entries: [], done: true });
      expect(tables.journal(17)).toMatchObject({ snapshot: null, entries: [], done: true });
    });

    rule(
      "of 1,200 entries comes in pages, each entry once, in order, and nobody else's",
      (tables) => {
        const written = entries(ANN, 1_200);
        tables.merge(AROUND);
        tables.merge(ofMap(ANN));
        for (let from = 1_200; from > 0; from -= 300) tables.merge(written.slice(from - 300, from));
        const pages = tables.pages();
        expect(pages.flatMap((page) => page.entries)).toEqual(written);
        expect(pages.map(({ done }) => done)).toEqual([false, false, true]);
        expect(pages.map((page) => page.snapshot)).toEqual([null, null, null]);
        expect(Math.max(...pages.map((page) => page.entries.length))).toBe(512);
      },
    );

    rule("begins behind the snapshot, which comes with the first page alone", (tables) => {
      const written = entries(ANN, 1_200);
      const taken = snapshot(ANN, 700);
      tables.merge([...AROUND, ...written, snapshot(ANN, 600), taken, ...ofMap(ANN)]);
      const pages = tables.pages();
      expect(pages.map((page) => page.snapshot)).toEqual([taken]);
      expect(pages.flatMap((page) => page.entries)).toEqual(written.slice(700));
      const others = tables.pages(ANN, 650);
      expect(others.map((page) => page.snapshot)).toEqual([null, null]);
      expect(others.flatMap((page) => page.entries)).toEqual(written.slice(650));
      expect(tables.pages(ANN, 0).flatMap((page) => page.entries)).toEqual(written);
      expect(tables.journal(1_200)).toMatchObject({ snapshot: null, entries: [], done: true });
    });

    rule("whose snapshot knows of more than there are entries has none behind it", (tables) => {
      tables.merge([...AROUND, ...entries(ANN, 20), snapshot(ANN, 30)]);
      const page = tables.journal(null);
      expect(page).toMatchObject({ snapshot: snapshot(ANN, 30), entries: [], done: true });
    });

    rule("of large entries comes in more pages, one at least in each", (tables) => {
      const written = entries(ANN, 12, new Uint8Array(256 * 1_024));
      for (const row of written) tables.merge([row]);
      const pages = tables.pages();
      expect(pages.flatMap((page) => page.entries.map(({ sub }) => sub))).toEqual(
        written.map(({ sub }) => sub),
      );
      for (const page of pages) {
        const bytes = page.entries.reduce((sum, row) => sum + rowBytes(row), 0);
        expect(bytes).toBeLessThanOrEqual(1_024 * 1_024);
        expect(page.entries.length).toBeGreaterThan(0);
      }
    });

    rule("has of two entries of one number that of the later epoch", (tables) => {
      const later = { ...entry(ANN, 2), stamp: { ...STAMP, millis: 9 } };
      tables.merge([...entries(ANN, 3), later]);
      tables.merge(entries(ANN, 3));
      const expected = [entry(ANN, 1), later, entry(ANN, 3)];
      expect(tables.pages().flatMap((page) => page.entries)).toEqual(expected);
    });

    rule("is seen by nobody who reads a map, a set or a counter", (tables) => {
      const actors = [ANN, ...NEIGHBOURS];
      for (const of of actors) tables.merge([...entries(of, 150), snapshot(of, 100)]);
      const partitionIds = [P];
      const query = { map: "account", prefix: "", after: null, limit: 100, nowMs: 0 };
      const list = { type: "list-rows", partitionIds, ...query, tag: "t" } as const;
      const looks = [
        { ...ANN, type: "members", after: null, limit: 100, tagsMax: 100 },
        { ...ANN, type: "adds", value: VALUE },
        { ...ANN, type: "total" },
        { ...ANN, type: "replica", replica: "c1", replicasMax: 100 },
      ] as const;
      const look = {
        type: "look",
        batches: [{ partitionId: P, looks }],
        bytesMax: 1e9,
        nowMs: 0,
        tag: "t",
      } as const;
      expect(tables.ask("listed", list).lists).toEqual([{ partitionId: P, rows: [], done: true }]);
      expect(tables.ask("looked", look).batches[0]?.seen).toEqual([
        { type: "members", members: [], after: null },
        { type: "adds", subs: [], removals: [] },
        { type: "total", inc: 0, dec: 0 },
        { type: "replica", known: null, others: 0 },
      ]);
      tables.merge(actors.flatMap(ofMap));
      const keys = tables.ask("listed", list).lists.flatMap(({ rows }) => rows.map((r) => r.key));
      expect(keys).toEqual(["", "an", "ann", "anna", "bob"]);
      expect(tables.ask("looked", look).batches[0]?.seen).toMatchObject([
        { members: [{ value: VALUE, tags: [STAMP] }] },
        { subs: [elementSub(VALUE, STAMP)] },
        { inc: 5, dec: 0 },
        { known: { inc: 5, dec: 0 } },
      ]);
    });

    rule("holds nobody up who follows a map of its name, and is not told", (tables) => {
      const actors = [ANN, ...NEIGHBOURS].filter(({ map }) => map === "account");
      for (const of of actors) tables.merge([...entries(of, 150), snapshot(of, 100)]);
      tables.merge(actors.flatMap(ofMap));
      const expected = actors.flatMap(ofMap).toSorted(compareIdentity);
      const mine = ofMap(ANN);
      const query = { map: "account", prefix: "", keys: null, since: null };
      for (const rowsMax of [2, 7, 64, 100_000]) {
        expect(fetched(tables, query, rowsMax)).toEqual(expected);
        expect(fetched(tables, { ...query, keys: ["ann", "nobody"] }, rowsMax)).toEqual(mine);
        const since = Seq(actors.length * 151);
        expect(fetched(tables, { ...query, since }, rowsMax)).toEqual(expected);
        expect(fetched(tables, { ...query, since, keys: ["ann"] }, rowsMax)).toEqual(mine);
      }
    });
  });
}

interface Wanted {
  readonly map: string;
  readonly prefix: string;
  readonly keys: readonly string[] | null;
  readonly since: Seq | null;
}

/** Page by page, each of which goes on. */
function fetched(tables: Tables, query: Wanted, rowsMax: number): readonly Row[] {
  const rows: Row[] = [];
  const pageBehind = (after: Identity | null): RowsFound | undefined => {
    const wanted = [{ ...query, partitionId: P, after }];
    const effect = { type: "fetch-rows", wanted, rowsMax, bytesMax: 1e9, tag: "t" } as const;
    return tables.ask("fetched", effect).found[0];
  };
  for (let page = pageBehind(null), after: Identity | null = null; page; page = pageBehind(after)) {
    for (const row of page.rows) rows.push(row);
    if (page.after === null) return rows;
    expect(after === null || compareIdentity(after, page.after) < 0).toBe(true);
    ({ after } = page);
  }
  return expect.fail("nothing was looked at");
}
