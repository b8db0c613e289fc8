/** Whoever follows one map: what it was told, as the README of the protocol tells it to take it. */
import { digestOf } from "../../src/data/bucket-digest.ts";
import { bucketIn } from "../../src/data/digest.ts";
import { identityKey } from "../../src/core/rows/identity-key.ts";
import type { PartitionId } from "../../src/data/ids.ts";
import { compareRows, type Row } from "../../src/data/row.ts";
import type { ClientMessage, ServerMessage } from "../../src/protocol/client-messages.ts";
import { SUBSCRIPTION_BUCKETS_MAX } from "../../src/protocol/limits.ts";
import type {
  ChangedPart,
  Position,
  Query,
  WantDigests,
} from "../../src/protocol/subscription-messages.ts";

export class Subscriber {
  readonly id: number;
  readonly query: Query;
  /** By partition, then by identity. */
  readonly parts = new Map<PartitionId, Map<string, Row>>();
  readonly positions = new Map<PartitionId, Position>();
  /** Since it last subscribed. */
  synced = false;
  rowsTold = 0;
  partsTold = 0;
  /** What was told that goes back. */
  readonly wentBack: string[] = [];
  #seq = 0;

  constructor(id: number, query: Query) {
    this.id = id;
    this.query = query;
  }

  subscribe(): ClientMessage {
    this.synced = false;
    const positions = [...this.positions].map(([partitionId, at]) => ({ partitionId, ...at }));
    return { type: "SUBSCRIBE", seq: this.#seq++, id: this.id, ...this.query, positions };
  }

  get rows(): readonly Row[] {
    return [...this.parts.values()].flatMap((rows) => [...rows.values()]);
  }

  /** What it answers. */
  hear(message: ServerMessage): ClientMessage | null {
    if (message.type === "RESYNC") return this.subscribe();
    if (!("id" in message) || message.id !== this.id) return null;
    switch (message.type) {
      case "CHANGES":
        for (const part of message.parts) this.#take(part);
        return null;
      case "SYNCED":
        this.synced = true;
        return null;
      case "WANT_DIGESTS":
        return this.#digests(message);
    }
  }

  #take({ partitionId, position, replaces, rows }: ChangedPart): void {
    const known = this.parts.get(partitionId) ?? new Map<string, Row>();
    this.parts.set(partitionId, known);
    this.partsTold++;
    this.rowsTold += rows.length;
    if (replaces)
      for (const [name, row] of known)
        if (replaces.which.includes(bucketIn(replaces.count, row))) known.delete(name);
    // Between the pieces of a whole it is nowhere: its position counts for nothing until all has come.
    if (replaces && !position) this.positions.delete(partitionId);
    for (const row of rows) this.#takeRow(known, { map: this.query.map, ...row });
    const before = this.positions.get(partitionId);
    if (!position) return;
    if (before?.since === position.since && position.seq < before.seq)
      this.wentBack.push(`${partitionId} from ${before.seq} to ${position.seq}`);
    this.positions.set(partitionId, position);
  }

  #takeRow(known: Map<string, Row>, row: Row): void {
    const name = identityKey(row);
    const before = known.get(name);
    // An add is removed whatever the stamps.
    const isOrdered = row.value !== null || row.kind === "lww";
    if (before && isOrdered && compareRows(row, before) < 0)
      this.wentBack.push(`${row.key} to ${row.stamp.millis}.${row.stamp.counter}`);
    if (row.value === null) known.delete(name);
    else known.set(name, row);
  }

  #digests({ salt, partitionIds }: WantDigests): ClientMessage {
    const parts = partitionIds.map((partitionId) => {
      const rows = [...(this.parts.get(partitionId)?.values() ?? [])];
      return { partitionId, buckets: digestOf(rows, bucketsFor(rows.length), salt) };
    });
    return { type: "DIGESTS", seq: this.#seq++, id: this.id, parts };
  }
}

/** About three rows in each. */
function bucketsFor(rows: number): number {
  let count = 1;
  while (count < SUBSCRIPTION_BUCKETS_MAX && count * 3 < rows) count *= 2;
  return count;
}
