/** The database that a browser has of one grid, for all pages of its origin. */
import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { Row } from "../../data/row.ts";
import type { KnownGrid } from "../machine/client-state.ts";
import type { AskRecord, CountRecord } from "./records.ts";

declare global {
  // For who compiles without a browser's types.
  interface IDBDatabase {
    close(): void;
  }
  interface IDBTransaction {
    commit(): void;
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
  grid: { readonly key: "known"; readonly value: KnownGrid };
  /** What somebody has subscribed to, by its text: when last. */
  queries: { readonly key: string; readonly value: number };
  /** What was told of it last: by its text, then by the row's name. */
  told: { readonly key: [string, string]; readonly value: Row };
}

interface WriterRecord {
  /** As in what it leaves. */
  readonly exposedBelow: number;
}

export type Database = IDBPDatabase<Schema>;

export const STORES = ["writers", "asks", "counts", "grid", "queries", "told"] as const;

const VERSION = 1;

/** `lost`: it is closed, since somebody deletes or changes it. */
export async function openDatabase(name: string, lost: () => void): Promise<Database> {
  const db = await openDB<Schema>(name, VERSION, {
    upgrade(created) {
      for (const store of STORES) created.createObjectStore(store);
    },
    blocking: () => {
      db.close();
      lost();
    },
    terminated: lost,
  });
  return db;
}

/** All that begins with this name: an array is more than any text and any number. */
export const allOf = (name: string): IDBKeyRange => IDBKeyRange.bound([name], [name, []]);
