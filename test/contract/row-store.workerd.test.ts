/// <reference types="@cloudflare/vitest-plugin/types" />
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { SqlRowStore } from "../../src/objects/sql-row-store.ts";
import { registerRowStoreContract, type WithStorage } from "./row-store.ts";
import { registerRowJournalsContract } from "./row-journals.ts";
import { registerRowRangesContract } from "./row-ranges.ts";
import { registerRowTablesContract } from "./row-tables.ts";

const { STORAGE } = env as unknown as { readonly STORAGE: DurableObjectNamespace };

const inSqlite: WithStorage = (use) =>
  runInDurableObject(STORAGE.get(STORAGE.newUniqueId()), (_, { storage }) =>
    use(() => new SqlRowStore(storage.sql)),
  );

registerRowStoreContract("SQLite", inSqlite);
registerRowTablesContract("SQLite", inSqlite);
registerRowRangesContract("SQLite", inSqlite);
registerRowJournalsContract("SQLite", inSqlite);
