/**
 * Every complete copy compared with what is on disk here, on an operator's word: a few partitions at a time, by a marker
 * in the stream as ever, both ways, differing buckets only. What is known of it is lost with the memory; the
 * coordinator asks until it is done, and then it begins anew. A copy that does not answer is not waited for.
 */
import type { PartitionId } from "../../data/ids.ts";
import type { Compare, RepairFigures } from "../../protocol/cluster-messages.ts";
import type { CallId } from "../machine/cluster-event.ts";
import type { Comparing } from "../node/state.ts";
import type { Turn } from "../node/turn.ts";
import { isSilent } from "./silence.ts";
import type { Stream } from "./stream.ts";
import { compareNow, open } from "./streams.ts";

/** Each reads two tables. */
const COMPARING_MAX = 2;

const NO_FIGURES: RepairFigures = {
  toCompare: 0,
  compared: 0,
  differing: 0,
  rowsSent: 0,
  rowsTaken: 0,
};

export function onCompare(turn: Turn, { repairId }: Compare, call: CallId | null): void {
  if (turn.memory.comparing?.repairId !== repairId) {
    const left = [...turn.state.saved.partitions.keys()].filter((id) => hasComplete(turn, id));
    const figures = { ...NO_FIGURES, toCompare: left.length };
    turn.setMemory({ comparing: { repairId, left, running: new Map(), figures } });
    goOn(turn);
  }
  const { comparing } = turn.memory;
  if (!comparing) return;
  const { left, running, figures } = comparing;
  const done = left.length === 0 && running.size === 0;
  turn.answer(call, { type: "COMPARED", nodeId: turn.me, repairId, done, figures });
}

function hasComplete(turn: Turn, partitionId: PartitionId): boolean {
  const { role } = turn.partition(partitionId);
  return role.type === "owner" && role.copies.some(({ state }) => state === "complete");
}

/** At the end of every event from outside: what is over makes room for the next. */
export function goOn(turn: Turn): void {
  const { comparing } = turn.memory;
  if (!comparing || (comparing.left.length === 0 && comparing.running.size === 0)) return;
  for (const partitionId of comparing.running.keys())
    if (isOver(turn, partitionId)) end(turn, comparing, partitionId);
  for (let now = turn.memory.comparing; now && now.running.size < COMPARING_MAX;) {
    const [next, ...left] = now.left;
    if (next === undefined) return;
    const running = new Map(now.running).set(next, false);
    turn.setMemory({ comparing: { ...now, left, running } });
    begin(turn, next);
    now = turn.memory.comparing;
  }
}

function begin(turn: Turn, partitionId: PartitionId): void {
  const { role } = turn.partition(partitionId);
  if (role.type !== "owner") return;
  // What is remembered of the rows is not what is asked for.
  turn.do({ type: "forget-digest", partitionId });
  for (const copy of role.copies) {
    if (copy.state !== "complete") continue;
    if (!turn.going(partitionId).streams.has(copy.nodeId)) open(turn, partitionId, copy);
    const stream = turn.going(partitionId).streams.get(copy.nodeId);
    if (stream) compareNow(turn, partitionId, stream);
  }
}

/** Nobody strikes a copy because somebody wants it looked at: who does not answer is left out. */
function isOver(turn: Turn, partitionId: PartitionId): boolean {
  const all = comparedAt(turn, partitionId);
  return all.every((stream) => isEqual(stream) || isSilent(turn.config, stream, turn.now));
}

/** Its complete copies, as far as there is anything to wait for. */
function comparedAt(turn: Turn, partitionId: PartitionId): readonly Stream[] {
  const { role } = turn.partition(partitionId);
  const { streams } = turn.going(partitionId);
  if (role.type !== "owner") return [];
  const complete = role.copies.filter(({ state }) => state === "complete");
  return complete.flatMap(({ nodeId }) => streams.get(nodeId) ?? []);
}

const isEqual = ({ task }: Stream): boolean => task.step === "idle";

function end(turn: Turn, { repairId }: Comparing, partitionId: PartitionId): void {
  const { comparing } = turn.memory;
  if (comparing?.repairId !== repairId) return;
  const running = new Map(comparing.running);
  running.delete(partitionId);
  const one = comparedAt(turn, partitionId).every(isEqual) ? 1 : 0;
  const { compared } = comparing.figures;
  const figures = { ...comparing.figures, compared: compared + one };
  turn.setMemory({ comparing: { ...comparing, running, figures } });
}

/** A copy was found to differ. */
export function noteDiffers(turn: Turn, partitionId: PartitionId): void {
  const { comparing } = turn.memory;
  if (comparing?.running.get(partitionId) !== false) return;
  const running = new Map(comparing.running).set(partitionId, true);
  const { differing } = comparing.figures;
  const figures = { ...comparing.figures, differing: differing + 1 };
  turn.setMemory({ comparing: { ...comparing, running, figures } });
}

export function noteRows(
  turn: Turn,
  partitionId: PartitionId,
  { sent = 0, taken = 0 }: { readonly sent?: number; readonly taken?: number },
): void {
  const { comparing } = turn.memory;
  if (!comparing?.running.has(partitionId)) return;
  const { rowsSent, rowsTaken } = comparing.figures;
  const more = { rowsSent: rowsSent + sent, rowsTaken: rowsTaken + taken };
  turn.setMemory({ comparing: { ...comparing, figures: { ...comparing.figures, ...more } } });
}
