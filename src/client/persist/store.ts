/** What is read and written of the database, a transaction each. */
import type { Row } from "../../data/row.ts";
import { KEPT_QUERIES_MAX } from "./limits.ts";
import type { KnownGrid } from "../machine/client-state.ts";
import { allOf, openDatabase, STORES, type Database } from "./database.ts";
import type { AskRecord, CountRecord, Left } from "./records.ts";

/** What is there when a client begins. */
export interface Found {
  /** As it was when anybody here was connected last; null: nobody ever was. */
  readonly known: KnownGrid | null;
  /** Other clients that may have left something, or are at work. */
  readonly others: readonly string[];
}

/** What one transaction changes. */
export interface Changes {
  exposedBelow: number | null;
  known: KnownGrid | null;
  /** By number; null: it is settled. */
  readonly asks: Map<number, AskRecord | null>;
  readonly counts: Map<string, CountRecord>;
  /** Clients of whom nothing is left: all is among `asks`, or settled. */
  readonly adopted: Set<string>;
  /** By query and by name of the row; null: it is gone. */
  readonly told: Map<string, Map<string, Row | null>>;
}

export class Store {
  readonly #name: string;
  readonly #writer: string;
  readonly #lost: () => void;
  #opened: Promise<Database> | null = null;

  /** `writer`: the client whose operations are kept. `lost`: what was written is there no more. */
  constructor(name: string, writer: string, lost: () => void) {
    this.#name = name;
    this.#writer = writer;
    this.#lost = lost;
  }

  /** Rejects where the browser keeps nothing. */
  async begin(): Promise<Found> {
    const db = await this.#database();
    await db.put("writers", { exposedBelow: 0 }, this.#writer);
    const [known = null, writers] = await Promise.all([
      db.get("grid", "known"),
      db.getAllKeys("writers"),
    ]);
    return { known, others: writers.filter((writer) => writer !== this.#writer) };
  }

  async leftBy(writer: string): Promise<Left> {
    const tx = (await this.#database()).transaction(["writers", "asks", "counts"]);
    const [known, keys, asks, counts] = await Promise.all([
      tx.objectStore("writers").get(writer),
      tx.objectStore("asks").getAllKeys(allOf(writer)),
      tx.objectStore("asks").getAll(allOf(writer)),
      tx.objectStore("counts").getAll(allOf(writer)),
    ]);
    const numbered = asks.map((ask, at) => [keys[at]?.[1] ?? 0, ask] as const);
    return { asks: numbered, counts, exposedBelow: known?.exposedBelow ?? 0 };
  }

  async write({ exposedBelow, known, ...changes }: Changes): Promise<void> {
    const tx = (await this.#database()).transaction(STORES, "readwrite");
    const [writers, asks, counts, told] = [
      tx.objectStore("writers"),
      tx.objectStore("asks"),
      tx.objectStore("counts"),
      tx.objectStore("told"),
    ];
    const all: Promise<unknown>[] = [tx.done];
    if (exposedBelow !== null) all.push(writers.put({ exposedBelow }, this.#writer));
    if (known) all.push(tx.objectStore("grid").put(known, "known"));
    for (const [id, ask] of changes.asks) {
      const key: [string, number] = [this.#writer, id];
      all.push(ask ? asks.put(ask, key) : asks.delete(key));
    }
    for (const [name, count] of changes.counts) all.push(counts.put(count, [this.#writer, name]));
    for (const writer of changes.adopted) {
      all.push(writers.delete(writer));
      all.push(asks.delete(allOf(writer)), counts.delete(allOf(writer)));
    }
    for (const [query, rows] of changes.told)
      for (const [name, row] of rows) {
        const key: [string, string] = [query, name];
        all.push(row ? told.put(row, key) : told.delete(key));
      }
    // A page that is going away could not say any more that this is all.
    tx.commit();
    await Promise.all(all);
  }

  /** What was told of a query last. It is now the last of those that are kept, of which there is a bound. */
  async openQuery(query: string, now: number): Promise<readonly Row[]> {
    const tx = (await this.#database()).transaction(["queries", "told"], "readwrite");
    const [queries, told] = [tx.objectStore("queries"), tx.objectStore("told")];
    await queries.put(now, query);
    const [keys, times] = await Promise.all([queries.getAllKeys(), queries.getAll()]);
    const openedAt = new Map(keys.map((key, i) => [key, times[i] ?? 0]));
    const byAge = keys.toSorted((a, b) => (openedAt.get(a) ?? 0) - (openedAt.get(b) ?? 0));
    const forgotten = byAge
      .slice(0, -KEPT_QUERIES_MAX)
      .flatMap((old) => [queries.delete(old), told.delete(allOf(old))]);
    const [rows] = await Promise.all([told.getAll(allOf(query)), ...forgotten, tx.done]);
    return rows;
  }

  /** It was told by another grid under this address. */
  async forgetTold(): Promise<void> {
    const tx = (await this.#database()).transaction(["queries", "told"], "readwrite");
    await Promise.all([tx.objectStore("queries").clear(), tx.objectStore("told").clear(), tx.done]);
  }

  /** Opened again where it was lost. */
  async #database(): Promise<Database> {
    this.#opened ??= openDatabase(this.#name, () => {
      this.#opened = null;
      this.#lost();
    });
    try {
      return await this.#opened;
    } catch (error) {
      this.#opened = null;
      throw error;
    }
  }

  close(): void {
    void this.#opened?.then((db) => db.close()).catch(() => undefined);
    this.#opened = null;
  }
}
