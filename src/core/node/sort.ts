/** Where each operation of a group goes: into which batch of its partition, elsewhere, or back. */
import { COUNT_STAMP } from "../../data/count-stamp.ts";
import { partitionOf } from "../../data/hash.ts";
import { isAhead, type Stamp } from "../../data/hlc.ts";
import type { PartitionId } from "../../data/ids.ts";
import { STAMP_AHEAD_MAX_MS } from "../../data/limits.ts";
import type { Identity, Row } from "../../data/row.ts";
import { makeError, type ErrorInfo } from "../../protocol/errors.ts";
import { TAGS_MAX } from "../../protocol/limits.ts";
import {
  isChange,
  isForActor,
  isQuestion,
  type AckLevel,
  type Change,
  type Op,
  type Question,
  type ReadOp,
} from "../../protocol/ops.ts";
import { hasBackup } from "../partition/backup.ts";
import type { Look } from "../rows/looks.ts";
import { firstStamp, firstTag, lookBefore, rowsOf } from "./changes.ts";
import { entry } from "./entry.ts";
import type {
  Batch,
  CallWork,
  Elsewhere,
  Looks,
  Place,
  Request,
  Result,
  Work,
} from "./requests.ts";
import type { Turn } from "./turn.ts";

/** Decides for each op where it goes; refuses what may not enter. */
export function sort(turn: Turn, requests: readonly Request[]): Work {
  const elsewhere = new Map<number, Elsewhere[]>();
  const results: (Result | null)[][] = [];
  const sorted = { writes: new Map(), looks: new Map(), reads: new Map(), asks: new Map() };
  const work = { requests, results, ...sorted, calls: [], elsewhere, held: new Map() };
  for (const [request, { origin, ops, ack }] of requests.entries()) {
    const mine: (Result | null)[] = ops.map(() => null);
    results.push(mine);
    for (const [index, op] of ops.entries()) {
      const partitionId = partitionOf(op.key, turn.self.partitionCount);
      const enters = origin.type === "socket" && isChange(op);
      const refusal = enters ? checkStamps(turn, op) : null;
      const { role, ruling } = turn.partition(partitionId);
      if (refusal) mine[index] = { type: "refused", error: refusal };
      else if (role.type !== "owner") entry(elsewhere, request, () => []).push({ index, ruling });
      else if (isChange(op) && ack === "backup" && !hasBackup(turn, partitionId))
        mine[index] = { type: "refused", error: makeError("NO_BACKUP", { partitionId }) };
      else take(turn, work, op, { partitionId, place: { request, index } });
    }
  }
  return work;
}

interface At {
  readonly partitionId: PartitionId;
  readonly place: Place;
}

interface Sorting extends Pick<Work, "results" | "writes"> {
  readonly calls: CallWork[];
  readonly looks: Map<PartitionId, Looks>;
  readonly asks: Map<PartitionId, Looks>;
  readonly reads: Map<PartitionId, Reads>;
}

interface Reads {
  readonly identities: Identity[];
  readonly places: Place[];
}

function take(turn: Turn, work: Sorting, op: Op, { partitionId, place }: At): void {
  if (isForActor(op)) return void work.calls.push({ partitionId, place, op });
  if (op.type === "read") {
    const batch = entry(work.reads, partitionId, (): Reads => ({ identities: [], places: [] }));
    batch.identities.push(identityOf(op));
    return void batch.places.push(place);
  }
  const question = isQuestion(op);
  const first = question ? lookAt(op) : lookBefore(turn, op);
  if (first) {
    const looks = question ? work.asks : work.looks;
    const batch = entry(looks, partitionId, (): Looks => ({ looks: [], places: [] }));
    batch.looks.push(first);
    return void batch.places.push(place);
  }
  if (question) return;
  const rows = rowsOf(turn, op);
  for (const row of rows) addWrite(work.writes, partitionId, row, place);
  if (rows.length === 0) entryOf(work, place, { type: "stored", stamp: COUNT_STAMP });
}

const lookAt = (op: Exclude<Question, ReadOp>): Look =>
  op.type === "members" ? { ...op, tagsMax: TAGS_MAX } : op;

export type Writes = Map<PartitionId, Batch>;

export function addWrite(writes: Writes, partitionId: PartitionId, row: Row, place: Place): void {
  const batch = entry(writes, partitionId, (): Batch => ({ rows: [], places: [] }));
  batch.rows.push(row);
  batch.places.push(place);
}

/** Only where an op enters the cluster: between nodes a refusal would let replicas diverge. */
function checkStamps(turn: Turn, op: Change): ErrorInfo | null {
  const ahead = firstStamp(op, isAhead, turn.now) ?? firstTag(op, isAhead, turn.now);
  if (ahead) {
    const aheadMs = ahead.millis - turn.now;
    return makeError("CLOCK_DRIFT", { aheadMs, aheadMsMax: STAMP_AHEAD_MAX_MS });
  }
  const old = firstStamp(op, isOld, turn);
  if (!old) return null;
  const ageMs = turn.now - old.millis;
  return makeError("STAMP_TOO_OLD", { ageMs, ageMsMax: turn.config.tombstoneRetentionMs });
}

const isOld = ({ millis }: Stamp, { now, config }: Turn): boolean =>
  now - millis > config.tombstoneRetentionMs;

const identityOf = (op: ReadOp): Identity => ({ map: op.map, key: op.key, kind: "lww", sub: "" });

export const comesBefore = (one: Place | undefined, other: Place): boolean =>
  one !== undefined &&
  (one.request < other.request || (one.request === other.request && one.index < other.index));

export const ackOf = (work: Work, { request }: Place): AckLevel =>
  work.requests[request]?.ack ?? "owner";

export function entryOf(work: Pick<Work, "results">, place: Place, result: Result): void {
  const results = work.results[place.request];
  if (results) results[place.index] = result;
}
