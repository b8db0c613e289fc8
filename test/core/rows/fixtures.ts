import type { RowEffect, RowEvent } from "../../../src/core/rows/effects.ts";
import type { Count, Page } from "../../../src/core/rows/row-store.ts";
import { RowTables } from "../../../src/core/rows/tables.ts";
import { Digest } from "../../../src/data/digest.ts";
import { PartitionId, Seq } from "../../../src/data/ids.ts";
import type { Row } from "../../../src/data/row.ts";
import { MemoryRowStore } from "../../sim/memory-row-store.ts";

export const P = PartitionId(3);
const KEY = { a: 5, b: 6 };

/** Counts what a cache should have saved. */
export class CountingStore extends MemoryRowStore {
  pages = 0;
  counts = 0;

  override page(...args: Parameters<MemoryRowStore["page"]>): Page {
    this.pages += 1;
    return super.page(...args);
  }
  override countFrom(...args: Parameters<MemoryRowStore["countFrom"]>): Count {
    this.counts += 1;
    return super.countFrom(...args);
  }
}

export interface Node {
  readonly store: CountingStore;
  readonly tables: RowTables;
}

export function node(store = new CountingStore()): Node {
  return { store, tables: new RowTables(store, () => KEY) };
}

export function row(key: string, millis = 1, change: Partial<Row> = {}): Row {
  const stamp = { millis, counter: 0, node: "n1.1" };
  return {
    map: "m",
    key,
    kind: "lww",
    sub: "",
    stamp,
    value: Uint8Array.of(1),
    expiresAt: null,
    ...change,
  };
}

/** k000, k001, … */
export const keys = (count: number): Row[] =>
  Array.from({ length: count }, (_, i) => row(`k${String(i).padStart(3, "0")}`));

export function ask<T extends RowEvent<"tag">["type"]>(
  { tables }: Node,
  type: T,
  effect: RowEffect<"tag">,
): Extract<RowEvent<"tag">, { type: T }> {
  const event = tables.perform(effect);
  if (event?.type !== type) throw new Error(`expected ${type}, got ${event?.type}`);
  return event as Extract<RowEvent<"tag">, { type: T }>;
}

export function merge(on: Node, rows: readonly Row[], seq = 1, digest = false): readonly boolean[] {
  const batches = [{ partitionId: P, rows, seq: Seq(seq), digest }];
  const { outcomes = [] } =
    ask(on, "merged", { type: "merge", batches, tag: "tag" }).batches[0] ?? {};
  return outcomes.map(({ changed }) => changed);
}

export const digest = (on: Node, rowsMax = 1_000): Uint8Array | null =>
  ask(on, "digested", { type: "digest", partitionId: P, rowsMax, tag: "tag" }).buckets;

export function digestOf(rows: readonly Row[]): Uint8Array {
  const of = new Digest(KEY);
  for (const each of rows) of.add(each);
  return of.buckets();
}

export const all = ({ store }: Node): readonly Row[] =>
  store.page(P, null, { rowsMax: 100_000, bytesMax: 1e9 }).rows.map((stored) => stored.row);
