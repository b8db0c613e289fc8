/** Commands of one actor, one after the other. */
import type { Of } from "../../data/row.ts";
import { makeError, type ErrorInfo } from "../../protocol/errors.ts";
import { MAILBOX_MAX, READ_BYTES_MAX } from "../../protocol/limits.ts";
import { entryIdentity } from "../../protocol/journal.ts";
import { Queue } from "../machine/queue.ts";
import { settle } from "../node/pending.ts";
import type { CallWork } from "../node/requests.ts";
import type { Turn } from "../node/turn.ts";
import {
  actorKey,
  newActivation,
  type Activation,
  type ActorName,
  type Call,
  type Running,
} from "./activation.ts";
import {
  ACTIVATIONS_MAX,
  activation,
  change,
  dueAt,
  makeRoom,
  memoryOf,
  setActivation,
  setActors,
  tagOf,
} from "./actors.ts";
import { conflict } from "./execute.ts";
import { nameOf, refused } from "./refusals.ts";
import { read } from "./replay.ts";
import { isPaused } from "./rest.ts";

/** A decision that takes longer is given up. */
export const DECISION_MS_MAX = 10_000;

/** For the owner of its partition: `call` is a part of a pending request. */
export function receive(turn: Turn, { partitionId, op }: CallWork, call: Call): void {
  const { map, key } = op;
  const name = { partitionId, key: actorKey(op) };
  const known = activation(turn, name);
  const waiting = known?.mailbox.length ?? 0;
  const error = waiting >= MAILBOX_MAX ? busy(op, waiting + 1) : known ? null : crowded(turn);
  if (error) return settle(turn, call.id, [call.index], [refused(error)]);
  const { since } = turn.partition(partitionId).ruling;
  const one = known ?? newActivation({ map, key }, since, turn.now);
  setActivation(turn, name, { ...one, mailbox: one.mailbox.with([call]), usedAt: turn.now });
  dueAt(turn, turn.now + turn.config.idleAfterMs);
  if (known) goOn(turn, name);
  else read(turn, name, null);
}

const busy = (of: Of, value: number): ErrorInfo =>
  makeError("ACTOR_BUSY", { ...nameOf(of), value, max: MAILBOX_MAX });

/** Null: there is room for another one, or was made. */
function crowded(turn: Turn): ErrorInfo | null {
  if (makeRoom(turn)) return null;
  const facts = { field: "actors at work", value: ACTIVATIONS_MAX + 1, max: ACTIVATIONS_MAX };
  return makeError("OVERLOADED", facts);
}

/** The next command, if none is being decided. */
export function goOn(turn: Turn, name: ActorName): void {
  const one = activation(turn, name);
  const call = one?.mailbox.first();
  if (one?.phase !== "live" || one.running || !call) return;
  if (isPaused(turn, name.partitionId) && ![...one.mailbox].some(isWaitedFor)) {
    const paused = new Set(memoryOf(turn).paused).add(name.partitionId);
    return setActors(turn, { paused });
  }
  const running = { n: turn.takeSeqs(1), call, since: turn.now };
  change(turn, name, { running, mailbox: Queue.of(one.mailbox.slice(1)) });
  begin(turn, name, one, running);
  // Answered at once: nothing will come back that the next one could begin with.
  if (!activation(turn, name)?.running) goOn(turn, name);
}

/** By a decision, maybe one that the move itself waits for. */
const isWaitedFor = ({ op }: Call): boolean => op.type === "call" && op.via !== undefined;

function begin(turn: Turn, name: ActorName, one: Activation, { n, call }: Running): void {
  const { of, state, version, sequence, snapshotAt } = one;
  if (call.op.type === "events") return list(turn, name, { n, from: call.op.from });
  const { commandId, expectedVersion, command, via = [] } = call.op;
  const known = commandId === null ? undefined : one.ids.find(commandId);
  if (known !== undefined) return recall(turn, name, one, { n, sequence: known });
  if (expectedVersion !== null && expectedVersion !== version)
    return conflict(turn, name, { n, attempted: expectedVersion });
  dueAt(turn, turn.now + DECISION_MS_MAX);
  const sinceSnapshot = sequence + 1 - snapshotAt;
  const tag = { ...tagOf(turn, name), step: "decide", n } as const;
  const { now: nowMs } = turn;
  const times = { nowMs, deadlineMs: nowMs + DECISION_MS_MAX };
  const asked = { of, state, version, commandId, command, sinceSnapshot, via, ...times, tag };
  turn.do({ type: "decide", ...asked });
}

function list(
  turn: Turn,
  name: ActorName,
  { n, from }: { readonly n: number; readonly from: number },
): void {
  const of = activation(turn, name)?.of;
  if (!of) return;
  const tag = { ...tagOf(turn, name), step: "list", n } as const;
  const after = from - 1;
  turn.do({ type: "read-journal", partitionId: name.partitionId, of, after, tag });
}

/** It was executed before: what it was answered then stands in its entry. */
function recall(
  turn: Turn,
  name: ActorName,
  { of }: Activation,
  { n, sequence }: { readonly n: number; readonly sequence: number },
): void {
  const identities = [entryIdentity(of, sequence)];
  const tag = { ...tagOf(turn, name), step: "recall", n, sequence } as const;
  const batches = [{ partitionId: name.partitionId, identities }];
  turn.do({ type: "read-rows", batches, bytesMax: READ_BYTES_MAX, tag });
}
