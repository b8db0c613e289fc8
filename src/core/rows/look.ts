/** What a set or a counter is, in the rows that it is made of. */
import { equalBytes } from "../../data/bytes.ts";
import { SIDES, countSub, decodeTotal, sideIn, type Count } from "../../data/count.ts";
import { elementHash } from "../../data/element-hash.ts";
import { hashIn, tagIn } from "../../data/element.ts";
import { unreachable } from "../../data/assert.ts";
import type { Stamp } from "../../data/hlc.ts";
import type { PartitionId } from "../../data/ids.ts";
import { isVisible } from "../../data/content.ts";
import { rowBytes, type Of, type Row } from "../../data/row.ts";
import { TAG_BYTES } from "../../protocol/limits.ts";
import type { LookEffect, SeenBatch } from "./effects.ts";
import type { Look, MembersLook, Seen } from "./looks.ts";
import type { RangeQuery, RowStore } from "./row-store.ts";

/** Read at a time. */
const PAGE = { rowsMax: 256, bytesMax: 512 * 1024 };

/** Of one answer; and rows that are passed for it, be they visible or not. */
const MEMBERS_BYTES_MAX = 1024 * 1024;
const MEMBERS_ROWS_MAX = 4_096;

export function look(
  store: RowStore,
  { batches, bytesMax, nowMs }: LookEffect<unknown>,
): SeenBatch[] {
  const room = { bytes: bytesMax };
  return batches.map(({ partitionId, looks }) => ({
    partitionId,
    seen: looks.map((one) =>
      room.bytes > 0 ? take({ store, partitionId, nowMs, room }, one) : "not read",
    ),
  }));
}

interface Place {
  readonly store: RowStore;
  readonly partitionId: PartitionId;
  readonly nowMs: number;
  readonly room: { bytes: number };
}

function take(place: Place, one: Look): Seen {
  switch (one.type) {
    case "members":
      return membersOf(place, one);
    case "adds":
      return addsOf(place, one);
    case "total":
      return { type: "total", ...totalOf(place, one) };
    case "replica":
      return replicaOf(place, one);
    default:
      return unreachable(one);
  }
}

type Range = Omit<RangeQuery, "rowsMax" | "bytesMax">;

function* rowsOf({ store, partitionId, room }: Place, range: Range): Generator<Row> {
  for (let { after } = range; ;) {
    const page = store.range(partitionId, { ...range, after, ...PAGE });
    for (const { row } of page.rows) {
      room.bytes -= rowBytes(row);
      yield row;
    }
    if (page.done) return;
    after = page.rows.at(-1)?.row.sub ?? after;
  }
}

/** Above all tags that follow a hash: they begin with a digit. */
const behind = (hash: string): string => `${hash}:`;

/** All adds of an element are in one answer, and all elements of one hash: it ends between two hashes. */
function membersOf(place: Place, { map, key, after, ...bounds }: Of & MembersLook): Seen {
  const found = new Members(bounds);
  const above = after === null ? null : behind(after);
  for (const row of rowsOf(place, { map, key, kind: "or", prefix: "", after: above })) {
    const last = found.hash;
    if (found.isFull && hashIn(row.sub) !== last)
      return { type: "members", members: found.members, after: last };
    found.pass(row, place.nowMs);
  }
  return { type: "members", members: found.members, after: null };
}

class Members {
  readonly members: { readonly value: Uint8Array; readonly tags: Stamp[] }[] = [];
  /** Of the last row that was passed. */
  hash = "";
  readonly #bounds: Pick<MembersLook, "limit" | "tagsMax">;
  /** Where those of the last hash begin. */
  #from = 0;
  #passed = 0;
  #bytes = 0;

  constructor(bounds: Pick<MembersLook, "limit" | "tagsMax">) {
    this.#bounds = bounds;
  }

  get isFull(): boolean {
    const isLong = this.#passed >= MEMBERS_ROWS_MAX || this.#bytes >= MEMBERS_BYTES_MAX;
    return isLong || this.members.length >= this.#bounds.limit;
  }

  pass(row: Row, nowMs: number): void {
    this.#passed++;
    const hash = hashIn(row.sub);
    if (hash !== this.hash) this.#from = this.members.length;
    this.hash = hash;
    const { value } = row;
    const tag = tagIn(row.sub);
    if (value && tag && isVisible(row, nowMs)) this.#add(value, tag);
  }

  #add(value: Uint8Array, tag: Stamp): void {
    const alike = this.members.slice(this.#from);
    const known = alike.find((member) => equalBytes(member.value, value));
    if (!known) this.members.push({ value, tags: [tag] });
    else if (known.tags.length < this.#bounds.tagsMax) known.tags.push(tag);
    this.#bytes += (known ? 0 : value.length) + TAG_BYTES;
  }
}

function addsOf(place: Place, { map, key, value }: Extract<Look, { type: "adds" }>): Seen {
  const subs: string[] = [];
  const removals: Row[] = [];
  const prefix = elementHash(value);
  for (const row of rowsOf(place, { map, key, kind: "or", prefix, after: null }))
    if (row.value === null) removals.push(row);
    else if (equalBytes(row.value, value)) subs.push(row.sub);
  return { type: "adds", subs, removals };
}

function totalOf(place: Place, { map, key }: Of): Count {
  let [inc, dec] = [0, 0];
  for (const row of rowsOf(place, { map, key, kind: "pn", prefix: "", after: null }))
    if (sideIn(row.sub)?.side === "inc") inc += numberIn(row);
    else dec += numberIn(row);
  return { inc, dec };
}

function replicaOf(place: Place, one: Extract<Look, { type: "replica" }>): Seen {
  const { map, key, replica } = one;
  const rows = place.store.read(
    place.partitionId,
    SIDES.map((side) => ({
      map,
      key,
      kind: "pn",
      sub: countSub(replica, side),
    })),
  );
  if (!rows.some((stored) => stored))
    return { type: "replica", known: null, others: replicasOf(place, one) };
  const [inc = 0, dec = 0] = rows.map((stored) => (stored ? numberIn(stored.row) : 0));
  return { type: "replica", known: { inc, dec }, others: 0 };
}

function numberIn({ value }: Row): number {
  const total = value && decodeTotal(value);
  return total?.ok ? total.value : 0;
}

function replicasOf(
  place: Place,
  { map, key, replicasMax }: Extract<Look, { type: "replica" }>,
): number {
  let last = "";
  let count = 0;
  for (const { sub } of rowsOf(place, { map, key, kind: "pn", prefix: "", after: null })) {
    const replica = sideIn(sub)?.replica ?? "";
    if (replica !== last) count++;
    last = replica;
    if (count >= replicasMax) break;
  }
  return count;
}
