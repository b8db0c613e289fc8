import { compareStamps } from "../../src/data/hlc.ts";
import type { Listed, MergedBatch } from "../../src/core/rows/effects.ts";
import { identityKey } from "../../src/core/rows/identity-key.ts";
import type { StoredRow } from "../../src/core/rows/row-store.ts";
import { Digest, type DigestKey } from "../../src/data/digest.ts";
import { Seq, type PartitionId } from "../../src/data/ids.ts";
import { isVisible } from "../../src/data/content.ts";
import { compareIdentity, mergeRows, type Identity, type Row } from "../../src/data/row.ts";
import { compareText } from "../../src/data/text.ts";

/** What `RowTables` must answer, in the most naive way. */
export class TablesModel {
  readonly #tables = new Map<PartitionId, Map<string, StoredRow>>();

  merge(partitionId: PartitionId, rows: readonly Row[], seq: Seq): MergedBatch {
    const table = this.#tables.get(partitionId) ?? new Map<string, StoredRow>();
    this.#tables.set(partitionId, table);
    const outcomes = rows.map((row, i) => {
      const key = identityKey(row);
      const standing = table.get(key);
      const winner = standing ? mergeRows(standing.row, row) : row;
      const changed = winner !== standing?.row;
      if (changed) table.set(key, { row: winner, seq: Seq(seq + i) });
      const tied = standing !== undefined && compareStamps(standing.row.stamp, row.stamp) === 0;
      return { changed, tied, stamp: winner.stamp };
    });
    return { partitionId, outcomes, upTo: Seq(seq + Math.max(0, rows.length - 1)) };
  }

  remove(partitionId: PartitionId, identities: readonly Identity[]): void {
    for (const identity of identities) this.#tables.get(partitionId)?.delete(identityKey(identity));
  }

  drop(partitionId: PartitionId): void {
    this.#tables.delete(partitionId);
  }

  row(partitionId: PartitionId, identity: Identity): Row | undefined {
    return this.#tables.get(partitionId)?.get(identityKey(identity))?.row;
  }

  /** In key order. */
  rows(partitionId: PartitionId): readonly StoredRow[] {
    const rows = this.#tables.get(partitionId)?.values() ?? [];
    return [...rows].toSorted((a, b) => compareIdentity(a.row, b.row));
  }

  count(): number {
    return [...this.#tables.values()].reduce((sum, table) => sum + table.size, 0);
  }

  buckets(partitionId: PartitionId, key: DigestKey): Uint8Array {
    const digest = new Digest(key);
    for (const { row } of this.rows(partitionId)) digest.add(row);
    return digest.buckets();
  }

  list(partitionIds: readonly PartitionId[], query: ModelQuery): Listed[] {
    const lists: Listed[] = [];
    let room = query.limit;
    let { after } = query;
    for (const partitionId of partitionIds) {
      if (room === 0) break;
      const above = after;
      const all = this.rows(partitionId)
        .map(({ row }) => row)
        .filter(
          (row) => row.map === query.map && row.kind === "lww" && row.key.startsWith(query.prefix),
        )
        .filter((row) => above === null || compareText(row.key, above) > 0);
      const visible = all.filter((row) => isVisible(row, query.nowMs));
      const rows = visible.slice(0, room);
      lists.push({ partitionId, rows, done: rows.length === visible.length });
      room -= rows.length;
      after = null;
    }
    return lists;
  }
}

export interface ModelQuery {
  readonly map: string;
  readonly prefix: string;
  readonly after: string | null;
  readonly limit: number;
  readonly nowMs: number;
}
