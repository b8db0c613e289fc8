/**
 * Rows that are long gone, removed for good: deletions and expired entries past the retention, by the owner alone, as
 * an item of its streams. Whoever may still hold what was deleted must be known to have the deletion:
 *
 *   look ──some found──► asked ──sole holders, and copies have all there was──► removed here, streamed to the copies
 *    ▲                     └── else ──► later
 *    └── a few rows at a time, one partition at a time, only among events that come anyway
 *
 * A table is looked through when the first row seen there may be due, and no more than 24 times in a retention. What
 * is known of that is lost with the memory, so a node must have been awake for a while before it looks at all.
 */
import type { PartitionId } from "../../data/ids.ts";
import { huskOf, type Row } from "../../data/row.ts";
import type { Confirmed } from "../../protocol/cluster-messages.ts";
import type { Config } from "../config.ts";
import type { NodeTag } from "../node/events.ts";
import type { Collecting, Owner } from "../node/state.ts";
import type { Turn } from "../node/turn.ts";
import type { FoundGone } from "../rows/effects.ts";
import { addCollected, lacksCollected, reached } from "./stream.ts";
import { open, setStream } from "./streams.ts";

const LOOKS_PER_RETENTION = 24;

/**
 * Beyond the retention: a write that was young enough where it came in may still be on its way to the owner, once or,
 * if that has changed, twice.
 */
const marginMs = ({ forwardTimeoutMs, maxClockSkewMs }: Config): number =>
  2 * (forwardTimeoutMs + maxClockSkewMs);

/** What is gone since before that is long gone. */
const goneBefore = ({ now, config }: Turn): number =>
  now - config.tombstoneRetentionMs - marginMs(config);

function setCollecting(turn: Turn, change: Partial<Collecting>): void {
  turn.setMemory({ collecting: { ...turn.memory.collecting, ...change } });
}

/** At the end of every event from outside: nothing is armed for it. */
export function collect(turn: Turn): void {
  const { membership, ceding } = turn.self;
  if (membership !== "member" || ceding || goneBefore(turn) <= 0) return;
  const { at, found } = turn.memory.collecting;
  const { idleAfterMs, collectPauseMs, retryMsMax } = turn.config;
  if (at === null) return setCollecting(turn, { at: turn.now + idleAfterMs });
  if (found && turn.now - found.since > retryMsMax) forgo(turn);
  else if (found) return remove(turn);
  // Further off than that, and the clock has been set back.
  if (at > turn.now && at - turn.now <= idleAfterMs) return;
  setCollecting(turn, { at: turn.now + collectPauseMs });
  settle(turn);
  look(turn);
}

function look(turn: Turn): void {
  const { collecting } = turn.memory;
  const isOn = collecting.look && mayCollect(turn, collecting.look.partitionId);
  const partitionId = isOn ? collecting.look?.partitionId : nextPartition(turn);
  if (partitionId === undefined) return setCollecting(turn, { look: null });
  const going = isOn ? collecting.look : null;
  const after = going?.after ?? null;
  setCollecting(turn, { look: going ?? { partitionId, after, nextGone: null } });
  const { now, random } = turn;
  turn.do({
    type: "find-gone",
    partitionId,
    after,
    before: goneBefore(turn),
    rowsMax: turn.config.collectRowsMax,
    tag: { for: "collect", partitionId, after, now, random },
  });
}

function nextPartition(turn: Turn): PartitionId | undefined {
  const { nextAt } = turn.memory.collecting;
  for (const [partitionId, { role }] of turn.state.saved.partitions)
    if (role.type === "owner" && (nextAt.get(partitionId) ?? 0) <= turn.now)
      if (mayCollect(turn, partitionId)) return partitionId;
  return undefined;
}

/** By what this owner knows itself: nothing moves, and every copy has been equal and lacks nothing for certain. */
function mayCollect(turn: Turn, partitionId: PartitionId): boolean {
  const { role } = turn.partition(partitionId);
  if (role.type !== "owner" || role.move || turn.memory.behind.has(partitionId)) return false;
  const { streams, giveUp } = turn.going(partitionId);
  if (giveUp.size > 0) return false;
  return role.copies.every(({ nodeId, state, digest }) => {
    const stream = streams.get(nodeId);
    const isIdle = !stream || (stream.task.step === "idle" && stream.scanAcked === "end");
    return state === "complete" && digest !== "" && isIdle;
  });
}

type CollectTag = Extract<NodeTag, { for: "collect" }>;

export function onFoundGone(
  turn: Turn,
  tag: CollectTag,
  { rows, nextGone, after }: FoundGone,
): void {
  const { partitionId } = tag;
  const { look: known } = turn.memory.collecting;
  if (known?.partitionId !== partitionId || known.after !== tag.after) return;
  const first = earlier(known.nextGone, nextGone);
  if (after === null) endLook(turn, partitionId, first);
  else setCollecting(turn, { look: { ...known, after, nextGone: first } });
  if (rows.length === 0) return;
  const { epoch } = turn.partition(partitionId).ruling;
  const { streams } = turn.going(partitionId);
  const owed = new Map(
    [...streams].map(([id, { streamId, pendingSeq: seq }]) => [id, { streamId, seq }]),
  );
  const found = { partitionId, epoch, rows, owed, since: turn.now, confirmed: false };
  setCollecting(turn, { found });
  turn.send("coordinator", { type: "CONFIRM", partitionId, epoch });
}

const earlier = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? (one ?? other) : Math.min(one, other);

/** Not before the first that was seen is due, but what is written or offered meanwhile may be older than that. */
function endLook(turn: Turn, partitionId: PartitionId, nextGone: number | null): void {
  const { tombstoneRetentionMs: retentionMs } = turn.config;
  const dueAt = nextGone === null ? Infinity : nextGone + retentionMs + marginMs(turn.config);
  const soonest = turn.now + retentionMs / LOOKS_PER_RETENTION;
  const at = Math.max(soonest, Math.min(dueAt, turn.now + retentionMs));
  const nextAt = new Map(turn.memory.collecting.nextAt).set(partitionId, at);
  setCollecting(turn, { look: null, nextAt });
}

/** Not now: the rest of the table is not looked at either. */
function forgo(turn: Turn): void {
  const { found } = turn.memory.collecting;
  if (!found) return;
  setCollecting(turn, { found: null });
  endLook(turn, found.partitionId, 0);
}

export function onConfirmed(turn: Turn, { partitionId, epoch, sole }: Confirmed): void {
  const { found } = turn.memory.collecting;
  if (found?.partitionId !== partitionId || found.epoch !== epoch) return;
  if (!sole) return forgo(turn);
  setCollecting(turn, { found: { ...found, confirmed: true } });
  remove(turn);
}

function remove(turn: Turn): void {
  const { found } = turn.memory.collecting;
  if (!found?.confirmed) return;
  const { partitionId, rows } = found;
  const isSame = turn.partition(partitionId).ruling.epoch === found.epoch;
  if (!isSame || !mayCollect(turn, partitionId)) return forgo(turn);
  if (!haveAll(turn, found)) return;
  setCollecting(turn, { found: null });
  const { now, random } = turn;
  const tag = { for: "collect", partitionId, after: null, now, random } as const;
  turn.do({ type: "collect", partitionId, rows, tag });
}

/** All there was when the rows were found, and nothing waits that would overtake. */
function haveAll(turn: Turn, { partitionId, owed }: NonNullable<Collecting["found"]>): boolean {
  const { streams } = turn.going(partitionId);
  return [...streams.values()].every((stream) => {
    const then = owed.get(stream.to);
    const isSame = !then || then.streamId === stream.streamId;
    return isSame && stream.pending.length === 0 && (!then || reached(stream, then.seq));
  });
}

/** They are gone here: the copies are told after all they were told before. */
export function onCollected(turn: Turn, { partitionId }: CollectTag, rows: readonly Row[]): void {
  const { role, ruling } = turn.partition(partitionId);
  if (role.type !== "owner" || rows.length === 0) return;
  for (const copy of role.copies)
    if (!turn.going(partitionId).streams.has(copy.nodeId)) open(turn, partitionId, copy);
  const settled = role.copies.length === 0;
  const collected = { epoch: ruling.epoch, settled, seq: turn.memory.seq };
  turn.setRole(partitionId, { ...role, collected });
  turn.setMemory({ changedAt: turn.now });
  const seq = turn.takeSeqs(1);
  const husks = rows.map(huskOf);
  for (const stream of turn.going(partitionId).streams.values())
    setStream(turn, partitionId, addCollected(stream, husks, seq));
}

/** Notes where all copies have removed what was removed here: where that is not known they must be compared. */
function settle(turn: Turn): void {
  for (const [partitionId, role] of unsettled(turn)) {
    const isLookedAt = turn.memory.collecting.look?.partitionId === partitionId;
    const streams = [...turn.going(partitionId).streams.values()];
    if (isLookedAt || streams.some(lacksCollected)) continue;
    turn.setRole(partitionId, role);
  }
}

/** At a start: what was under way to the copies is forgotten. */
export function compareUnsettled(turn: Turn): void {
  for (const [partitionId, role] of unsettled(turn)) {
    const copies = role.copies.map((copy) => ({ ...copy, digest: "" }));
    turn.setRole(partitionId, { ...role, copies });
  }
}

/** As they are when they are settled. */
function* unsettled(turn: Turn): Generator<readonly [PartitionId, Owner]> {
  for (const [partitionId, { role }] of turn.state.saved.partitions)
    if (role.type === "owner" && role.collected?.settled === false)
      yield [partitionId, { ...role, collected: { ...role.collected, settled: true } }];
}
