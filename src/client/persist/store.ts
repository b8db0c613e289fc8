/** What a browser keeps of one grid for all pages of its origin, in IndexedDB. */
import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { AskRecord, CountRecord, Left } from "./records.ts";

declare global {
  // For who compiles without a browser's types.
  interface IDBDatabase {
    close(): void;
  }
  interface IDBKeyRange {
    includes(key: unknown): boolean;
  }
}

declare const IDBKeyRange: { bound(lower: unknown, upper: unknown): IDBKeyRange };

interface Schema extends DBSchema {
  /** Clients that may have left something, by id. */
  writers: { readonly key: string; readonly value: WriterRecord };
  /** By writer, then by number. */
  asks: { readonly key: [string, number]; readonly value: AskRecord };
  /** By writer, then by name. */
  counts: { readonly key: [string, string]; readonly value: CountRecord };
  grid: { readonly key: "partitionCount"; readonly value: number };
}

interface WriterRecord {
  /** As in what it leaves. */
  readonly exposedBelow: number;
}

/** What is there when a client begins. */
export interface Found {
  /** As it was when anybody here was connected last; null: nobody ever was. */
  readonly partitionCount: number | null;
  /** Other clients that may have left something, or are at work. */
  readonly others: readonly string[];
}

/** What one transaction changes. */
export interface Changes {
  exposedBelow: number | null;
  partitionCount: number | null;
  /** By number; null: it is settled. */
  readonly asks: Map<number, AskRecord | null>;
  readonly counts: Map<string, CountRecord>;
  /** Clients all of whose operations are among `asks` now. */
  readonly adopted: Set<string>;
}

const VERSION = 1;

export class Store {
  readonly #db: IDBPDatabase<Schema>;
  readonly #writer: string;

  private constructor(db: IDBPDatabase<Schema>, writer: string) {
    this.#db = db;
    this.#writer = writer;
  }

  /** `writer`: the client whose operations are kept. Rejects where the browser keeps nothing. */
  static async open(name: string, writer: string): Promise<Store> {
    const db = await openDB<Schema>(name, VERSION, {
      upgrade(created) {
        for (const store of ["writers", "asks", "counts", "grid"] as const)
          created.createObjectStore(store);
      },
      // A page with newer code waits for it.
      blocking: () => db.close(),
    });
    await db.put("writers", { exposedBelow: 0 }, writer);
    return new Store(db, writer);
  }

  async found(): Promise<Found> {
    const [partitionCount = null, writers] = await Promise.all([
      this.#db.get("grid", "partitionCount"),
      this.#db.getAllKeys("writers"),
    ]);
    return { partitionCount, others: writers.filter((writer) => writer !== this.#writer) };
  }

  async leftBy(writer: string): Promise<Left> {
    const tx = this.#db.transaction(["writers", "asks", "counts"]);
    const range = allOf(writer);
    const [known, keys, asks, counts] = await Promise.all([
      tx.objectStore("writers").get(writer),
      tx.objectStore("asks").getAllKeys(range),
      tx.objectStore("asks").getAll(range),
      tx.objectStore("counts").getAll(range),
    ]);
    const numbered = asks.map((ask, at) => [keys[at]?.[1] ?? 0, ask] as const);
    return { asks: numbered, counts, exposedBelow: known?.exposedBelow ?? 0 };
  }

  async write(changes: Changes): Promise<void> {
    const tx = this.#db.transaction(["writers", "asks", "counts", "grid"], "readwrite");
    const [writers, asks, counts] = [
      tx.objectStore("writers"),
      tx.objectStore("asks"),
      tx.objectStore("counts"),
    ];
    const { exposedBelow, partitionCount } = changes;
    const all: Promise<unknown>[] = [tx.done];
    if (exposedBelow !== null) all.push(writers.put({ exposedBelow }, this.#writer));
    if (partitionCount !== null)
      all.push(tx.objectStore("grid").put(partitionCount, "partitionCount"));
    for (const [id, ask] of changes.asks) {
      const key: [string, number] = [this.#writer, id];
      all.push(ask ? asks.put(ask, key) : asks.delete(key));
    }
    for (const [name, count] of changes.counts) all.push(counts.put(count, [this.#writer, name]));
    for (const writer of changes.adopted)
      all.push(writers.delete(writer), asks.delete(allOf(writer)), counts.delete(allOf(writer)));
    await Promise.all(all);
  }

  close(): void {
    this.#db.close();
  }
}

/** An array is more than any text. */
const allOf = (writer: string): IDBKeyRange => IDBKeyRange.bound([writer], [writer, []]);
