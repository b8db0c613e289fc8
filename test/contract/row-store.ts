/** What every `RowStore` must do. Run against the one in memory and the one in SQLite. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type {
  ListQuery,
  Page,
  PageBounds,
  RowStore,
  StoredRow,
} from "../../src/core/rows/row-store.ts";
import { PartitionId, Seq } from "../../src/data/ids.ts";
import { compareIdentity, rowBytes, type Identity, type Row } from "../../src/data/row.ts";
import { compareText } from "../../src/data/text.ts";
import { identityKey } from "../../src/core/rows/identity-key.ts";
import { after, bounds, distinctRows, listQuery, partitionId } from "./row-arbitraries.ts";

/**
 * Calls `use` with empty storage. `open` gives a store over it; called again, a new one, and the one
 * before must not be used any more.
 */
export type WithStorage = (use: (open: () => RowStore) => void) => void | Promise<void>;

type ListQueryText = Pick<ListQuery, "map" | "prefix" | "after">;

const P = PartitionId(7);
const ROOMY: PageBounds = { rowsMax: 1_000, bytesMax: 10_000_000 };

export function registerRowStoreContract(name: string, withStorage: WithStorage): void {
  /** A test that gets one empty store. */
  const rule = (text: string, check: (store: RowStore, open: () => RowStore) => void): void =>
    it(text, () => withStorage((open) => check(open(), open)));

  describe(`row store: ${name}`, () => {
    rule("reads a partition without a table as empty", (store) => {
      expect(store.read(P, [entry("a")])).toEqual([undefined]);
      expect(store.page(P, null, ROOMY)).toEqual({ rows: [], done: true });
      expect(store.list(P, { map: "m", prefix: "", after: null, ...ROOMY })).toEqual({
        rows: [],
        done: true,
      });
      expect(countOf(store, P)).toBe(0);
      expect(store.partitions()).toEqual([]);
      store.drop(P);
    });

    rule("makes a table for a row, not for none", (store) => {
      store.write(P, []);
      expect(store.partitions()).toEqual([]);
      store.write(P, [stored("a")]);
      expect(store.partitions()).toEqual([P]);
    });

    rule("keeps every field of a row", (store) => {
      const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
      const rows = [
        stored("value", { value: bytes, expiresAt: 2 ** 48 - 1 }),
        stored("view", { value: bytes.subarray(100, 103) }),
        stored("empty", { value: new Uint8Array(0), expiresAt: 0 }),
        stored("tombstone", { value: null }),
        stored("stamp", { stamp: { millis: 2 ** 48 - 1, counter: 65_535, node: "z".repeat(64) } }),
        { ...stored("seq"), seq: Seq(Number.MAX_SAFE_INTEGER) },
      ];
      store.write(P, rows);
      expect(
        store.read(
          P,
          rows.map(({ row }) => row),
        ),
      ).toEqual(rows);
    });

    rule("removes those that stand, for a billed row each, and keeps the table", (store) => {
      const rows = [stored("a"), stored("b", { value: null }), stored("c")];
      store.write(P, rows);
      const before = store.usage().rowsWritten;
      store.remove(P, [entry("a"), entry("b"), entry("missing")]);
      expect(store.usage().rowsWritten - before).toBe(2);
      expect(store.page(P, null, ROOMY).rows).toEqual([rows[2]]);
      store.remove(P, [entry("c")]);
      expect(store.page(P, null, ROOMY)).toEqual({ rows: [], done: true });
      expect(store.partitions()).toEqual([P]);
      store.remove(PartitionId(8), [entry("a")]);
      expect(store.partitions()).toEqual([P]);
    });

    rule("takes and gives many rows at once, of any characters and lengths", (store) => {
      const lengths = [0, 1, 1_024, 1_025, 16_384, 200_000];
      const texts = ["\0", "a\0b", '"\\', "\u0001".repeat(480), "ü€😀", "", "z".repeat(480)];
      const rows = Array.from({ length: 700 }, (_, i) => {
        const length = i % 40 === 0 ? (lengths[(i / 40) % lengths.length] ?? 0) : i % 7;
        const value = i % 9 === 5 ? null : new Uint8Array(length).fill(i);
        const key = `${String(i).padStart(3, "0")}${texts[i % texts.length]}`;
        const stamp = { millis: i, counter: i, node: `n${"x".repeat(i % 60)}` };
        const expiresAt = i % 5 === 2 ? i : null;
        const sub = i % 3 === 0 ? `s${texts[i % texts.length]}` : "";
        return { ...stored(key, { value, stamp, expiresAt, sub }), seq: Seq(1_000 + i) };
      });
      expect(store.insert(P, rows)).toBe(rows.length);
      expect(store.page(P, null, ROOMY)).toEqual({ rows, done: true });
      const found: StoredRow[] = [];
      for (let done = false; !done;) {
        const page = store.page(P, found.at(-1)?.row ?? null, { rowsMax: 300, bytesMax: 250_000 });
        found.push(...page.rows);
        ({ done } = page);
      }
      expect(found).toEqual(rows);
    });

    rule("writes only what is newer, says how many, and bills only those", (store) => {
      const at = (key: string, millis: number, counter = 0, node = "n1.1"): StoredRow =>
        stored(key, { stamp: { millis, counter, node } });
      const old = [at("a", 5), at("b", 5, 7), at("c", 5, 0, "n2.1"), at("d", 255), at("e", 5)];
      store.write(P, old);
      const before = store.usage().rowsWritten;
      const news = [
        at("a", 6),
        at("b", 5, 6), // an older counter
        at("c", 5, 0, "n10.1"), // n1 comes before n2
        at("d", 256), // newer by value, not by its last byte
        at("e", 5), // equal
        at("f", 1), // nothing stands there
      ].map((row): StoredRow => ({ ...row, seq: Seq(9) }));
      expect(store.writeNewer(P, news)).toBe(3);
      expect(store.usage().rowsWritten - before).toBe(3);
      const seqs = store.read(P, ["a", "b", "c", "d", "e", "f"].map(entry)).map((row) => row?.seq);
      expect(seqs).toEqual([9, 5, 5, 9, 5, 9]);
      expect(store.writeNewer(P, [])).toBe(0);
    });

    rule("inserts only where nothing stands, says how many, and bills only those", (store) => {
      store.write(P, [stored("a")]);
      const before = store.usage().rowsWritten;
      const news = ["a", "b", "c"].map((key) => ({ ...stored(key), seq: Seq(9) }));
      expect(store.insert(P, news)).toBe(2);
      expect(store.usage().rowsWritten - before).toBe(2);
      const seqs = store.read(P, ["a", "b", "c"].map(entry)).map((row) => row?.seq);
      expect(seqs).toEqual([5, 9, 9]);
      expect(store.insert(P, [])).toBe(0);
    });

    rule("pages what changed after a counter, in key order, within the bounds", (store) => {
      const rows = ["e", "b", "d", "a", "c"].map((key, i) => ({ ...stored(key), seq: Seq(i + 1) }));
      const keysOf = ({ rows: found }: Page): string[] => found.map(({ row }) => row.key);
      expect(store.pageSince(P, null, Seq(0), ROOMY)).toEqual({ rows: [], done: true });
      store.write(P, rows);
      expect(keysOf(store.pageSince(P, null, Seq(2), ROOMY))).toEqual(["a", "c", "d"]);
      expect(keysOf(store.pageSince(P, entry("a"), Seq(2), ROOMY))).toEqual(["c", "d"]);
      const two = store.pageSince(P, null, Seq(2), { ...ROOMY, rowsMax: 2 });
      expect([keysOf(two), two.done]).toEqual([["a", "c"], false]);
      expect(store.pageSince(P, null, Seq(5), ROOMY)).toEqual({ rows: [], done: true });
    });

    rule("answers in the order asked, also twice for an identity", (store) => {
      store.write(P, [stored("a"), stored("b")]);
      const asked = ["b", "none", "a", "b"].map(entry);
      expect(store.read(P, asked).map((found) => found?.row.key)).toEqual([
        "b",
        undefined,
        "a",
        "b",
      ]);
    });

    rule("bills one row for a new row and one for a replaced one, none for a drop", (store) => {
      const rows = Array.from({ length: 123 }, (_, i) => stored(`k${i}`));
      store.write(P, [stored("first")]); // the table is made, which is billed, too
      const before = store.usage().rowsWritten;
      store.write(P, rows);
      expect(store.usage().rowsWritten - before).toBe(123);
      store.write(
        P,
        rows.map((row) => ({ ...row, seq: Seq(9) })),
      );
      expect(store.usage().rowsWritten - before).toBe(246);
      expect(countOf(store, P)).toBe(124);
      store.drop(P);
      expect(store.usage().rowsWritten - before).toBe(246);
    });

    rule("keeps partitions apart and forgets a dropped one", (store) => {
      store.write(PartitionId(1), [stored("a")]);
      store.write(PartitionId(11), [stored("b")]);
      store.drop(PartitionId(1));
      expect(store.partitions()).toEqual([11]);
      expect(store.read(PartitionId(1), [entry("a")])).toEqual([undefined]);
      expect(countOf(store, PartitionId(11))).toBe(1);
      store.write(PartitionId(1), [stored("c")]);
      expect(countOf(store, PartitionId(1))).toBe(1);
    });

    rule("sends a row that is larger than the bound, alone", (store) => {
      const large = stored("b", { value: new Uint8Array(300_000) });
      store.write(P, [stored("a"), large, stored("c")]);
      const tight = { rowsMax: 100, bytesMax: 1_000 };
      expect(keysOf(store.page(P, null, tight))).toEqual(["a"]);
      expect(keysOf(store.page(P, entry("a"), tight))).toEqual(["b"]);
      expect(store.page(P, entry("b"), tight)).toEqual({ rows: [stored("c")], done: true });
    });

    rule("lists by prefix without wildcards", (store) => {
      const keys = [
        "",
        "%",
        "_",
        "_a",
        "a",
        "a%b",
        "a/",
        "a/1",
        "a0",
        "a_",
        "ab",
        "b",
        "{a}",
        "\u{10ffff}",
        "\u{10ffff}a",
        "\ud7ff",
        "\ud7ffx",
        "\ue000",
        "😀",
      ];
      store.write(
        P,
        [...keys, "a/2"].map((key) => stored(key, key === "a/2" ? { map: "other" } : {})),
      );
      const list = (prefix: string, above: string | null = null): readonly string[] =>
        keysOf(store.list(P, { map: "m", prefix, after: above, ...ROOMY }));
      expect(list("a/")).toEqual(["a/", "a/1"]);
      expect(list("_")).toEqual(["_", "_a"]);
      expect(list("%")).toEqual(["%"]);
      expect(list("a", "a0")).toEqual(["a_", "ab"]);
      expect(list("a/", "")).toEqual(["a/", "a/1"]);
      expect(list("a/", "b")).toEqual([]);
      expect(list("\ud7ff")).toEqual(["\ud7ff", "\ud7ffx"]);
      expect(list("\u{10ffff}")).toEqual(["\u{10ffff}", "\u{10ffff}a"]);
      expect(list("")).toHaveLength(keys.length);
    });

    rule("finds its tables again when opened anew", (store, open) => {
      store.write(P, [stored("a")]);
      store.write(PartitionId(8), [stored("b")]);
      store.drop(PartitionId(8));
      const again = open();
      expect(again.partitions()).toEqual([P]);
      expect(again.read(P, [entry("a")])).toEqual([stored("a")]);
      again.write(P, [stored("a"), stored("b")]);
      expect(countOf(again, P)).toBe(2);
    });

    it("does what the model does", () => agreesWithModel(withStorage));
  });
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant("write" as const),
      partitionId,
      rows: distinctRows,
      seq: fc.nat(9),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("drop" as const), partitionId }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("reopen" as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant("look" as const),
      partitionId,
      after,
      bounds,
      listQuery,
    }),
  },
);

/** All looks of a run, so that an empty world cannot pass. */
async function agreesWithModel(withStorage: WithStorage): Promise<void> {
  const seen = { rows: 0, cut: 0, listed: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 20 }), async (steps) => {
      await withStorage((open) => {
        let store = open();
        const model = new Map<PartitionId, StoredRow[]>();
        for (const action of steps) {
          if (action.type === "reopen") store = open();
          else if (action.type === "drop") {
            store.drop(action.partitionId);
            model.delete(action.partitionId);
          } else if (action.type === "write") {
            const rows = action.rows.map((row, i) => ({ row, seq: Seq(action.seq + i) }));
            store.write(action.partitionId, rows);
            model.set(action.partitionId, merged(model.get(action.partitionId) ?? [], rows));
          } else {
            const table = model.get(action.partitionId) ?? [];
            const above = table.filter(
              ({ row }) => action.after === null || compareIdentity(row, action.after) > 0,
            );
            const page = store.page(action.partitionId, action.after, action.bounds);
            expect(page).toEqual(pageOf(above, action.bounds));
            const entries = table.filter(({ row }) => isListed(row, action.listQuery));
            const listed = store.list(action.partitionId, {
              ...action.listQuery,
              ...action.bounds,
            });
            expect(listed).toEqual(pageOf(entries, action.bounds));
            expect(countOf(store, action.partitionId)).toBe(table.length);
            seen.rows += page.rows.length;
            seen.cut += page.done ? 0 : 1;
            seen.listed += listed.rows.length;
          }
          expect(store.partitions().toSorted((a, b) => a - b)).toEqual(
            [...model.keys()].toSorted((a, b) => a - b),
          );
        }
        for (const [id, table] of model) {
          expect(
            store.read(
              id,
              table.map(({ row }) => row),
            ),
          ).toEqual(table);
          store.drop(id);
        }
      });
    }),
    { numRuns: 100 },
  );
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(20);
}

function merged(table: readonly StoredRow[], rows: readonly StoredRow[]): StoredRow[] {
  const byKey = new Map([...table, ...rows].map((row) => [identityKey(row.row), row]));
  return [...byKey.values()].toSorted((a, b) => compareIdentity(a.row, b.row));
}

function pageOf(above: readonly StoredRow[], { rowsMax, bytesMax }: PageBounds): Page {
  let count = Math.min(1, above.length);
  const fits = (rows: readonly StoredRow[]): boolean =>
    rows.length <= rowsMax && rows.reduce((sum, { row }) => sum + rowBytes(row), 0) <= bytesMax;
  while (count < above.length && fits(above.slice(0, count + 1))) count += 1;
  return { rows: above.slice(0, count), done: count === above.length };
}

/** Some at a time, as whoever has to bound its time counts. */
function countOf(store: RowStore, partition: PartitionId): number {
  const most = 7;
  let rows = 0;
  for (let last: Identity | null = null; ;) {
    const counted = store.countFrom(partition, last, most);
    expect(counted.rows).toBeLessThanOrEqual(most);
    rows += counted.rows;
    if (counted.upTo === "end") return rows;
    expect(last === null || compareIdentity(last, counted.upTo) < 0).toBe(true);
    last = counted.upTo;
  }
}

const isListed = (row: Row, { map, prefix, after: above }: ListQueryText): boolean =>
  row.map === map &&
  row.kind === "lww" &&
  row.key.startsWith(prefix) &&
  (above === null || compareText(row.key, above) > 0);

const keysOf = ({ rows }: Page): string[] => rows.map(({ row }) => row.key);

const entry = (key: string): Row => stored(key).row;

function stored(key: string, change: Partial<Row> = {}): StoredRow {
  const value = Uint8Array.of(1, 2, 3);
  const stamp = { millis: 1, counter: 2, node: "n1.1" };
  return {
    row: { map: "m", key, kind: "lww", sub: "", stamp, value, expiresAt: null, ...change },
    seq: Seq(5),
  };
}
