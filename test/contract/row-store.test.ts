import { expect, it } from "vitest";
import { PartitionId, Seq } from "../../src/data/ids.ts";
import { MemoryRowStore } from "../sim/memory-row-store.ts";
import { registerRowStoreContract, type WithStorage } from "./row-store.ts";
import { registerRowJournalsContract } from "./row-journals.ts";
import { registerRowRangesContract } from "./row-ranges.ts";
import { registerRowTablesContract } from "./row-tables.ts";

const inMemory: WithStorage = (use) => {
  let store = new MemoryRowStore();
  use(() => (store = store.clone()));
};

registerRowStoreContract("memory", inMemory);
registerRowTablesContract("memory", inMemory);
registerRowRangesContract("memory", inMemory);
registerRowJournalsContract("memory", inMemory);

it("memory: a restored snapshot has lost what was written since, and stays what it was", () => {
  const id = PartitionId(1);
  const stamp = { millis: 1, counter: 0, node: "n1.1" };
  const row = {
    map: "m",
    key: "k",
    kind: "lww",
    sub: "",
    stamp,
    value: null,
    expiresAt: null,
  } as const;
  const store = new MemoryRowStore();
  store.write(id, [{ row, seq: Seq(1) }]);
  const saved = store.snapshot();
  store.write(id, [{ row: { ...row, key: "unsaved" }, seq: Seq(2) }]);
  store.drop(id);
  expect(store.count(id)).toBe(0);
  store.restore(saved);
  expect(store.count(id)).toBe(1);
  const clone = store.clone();
  clone.drop(id);
  expect(store.partitions()).toEqual([id]);
});
