/** Operations to the owners of their keys: one call to each, and after it to whom it names. */
import { partitionOf } from "../data/hash.ts";
import { ClusterId, PartitionId, Seq, type NodeId } from "../data/ids.ts";
import type { Ruling } from "../data/ruling.ts";
import { makeError, type ErrorInfo } from "../protocol/errors.ts";
import { NAME_PATTERN } from "../protocol/limits.ts";
import type { AckLevel, Op, OpResult, ReadResult } from "../protocol/ops.ts";
import { errorOf, isPassing, type Answer, type Front } from "./front.ts";
import { learnRuling, type Known } from "./known.ts";

type Result = OpResult | ReadResult;

/** Answers that lead elsewhere, followed without a pause: two that contradict each other not for ever. */
const HOPS_AT_ONCE = 4;

/** What became of one operation, and whether asking once more may help. */
interface Outcome {
  readonly result: Result;
  readonly again: "never" | "now" | "later";
}

/** One result per op, in order. `follow` false: an op whose owner has changed is not sent after it. */
export async function forward(
  front: Front,
  ops: readonly Op[],
  { follow, ack }: { readonly follow: boolean; readonly ack: AckLevel },
): Promise<readonly Result[]> {
  const outcomes: Outcome[] = ops.map(() => ({ result: refused(UNSENT), again: "now" }));
  const lacked = new Map<NodeId, Ruling[]>();
  for (let attempt = 0, hops = 0; ;) {
    const open = [...outcomes.keys()].filter((index) => outcomes[index]?.again !== "never");
    await sendAll(front, ops, open, { outcomes, lacked, follow, ack });
    const left = outcomes.filter(({ again }) => again !== "never");
    if (left.length === 0) break;
    if (left.some(({ again }) => again === "now") && hops++ < HOPS_AT_ONCE) continue;
    hops = 0;
    if (!(await front.pause(attempt++))) break;
    await front.refetch();
  }
  return followMerged(
    front,
    ops,
    outcomes.map(({ result }) => result),
    ack,
  );
}

/** What a node of a cluster that goes over into another does not pass on, since that may be done twice. */
async function followMerged(
  front: Front,
  ops: readonly Op[],
  results: readonly Result[],
  ack: AckLevel,
): Promise<readonly Result[]> {
  const into = results.map(mergedInto).find((name) => name !== null);
  if (!into) return results;
  const indexes = [...results.keys()].filter((i) => mergedInto(results[i]) === into);
  const there = await forward(front.into(into), pick(ops, indexes), { follow: true, ack });
  return results.map((result, i) => there[indexes.indexOf(i)] ?? result);
}

function mergedInto(result: Result | undefined): ClusterId | null {
  if (result?.type !== "refused" || result.error.code !== "CLUSTER_MERGED") return null;
  const { into } = result.error.data;
  return typeof into === "string" && NAME_PATTERN.test(into) ? ClusterId(into) : null;
}

interface Round {
  readonly outcomes: Outcome[];
  /** What an owner has shown not to know of its partitions: told with the next call. */
  readonly lacked: Map<NodeId, Ruling[]>;
  readonly follow: boolean;
  readonly ack: AckLevel;
}

async function sendAll(
  front: Front,
  ops: readonly Op[],
  open: readonly number[],
  round: Round,
): Promise<void> {
  const known = await front.known();
  const take = (indexes: readonly number[], outcome: Outcome): void => {
    for (const index of indexes) round.outcomes[index] = outcome;
  };
  if (!known.ok) return take(open, { result: refused(known.error), again: "never" });
  const groups = Map.groupBy(open, (index) => rulingOf(known.value, ops[index])?.owner ?? null);
  const all = [...groups].map(async ([owner, indexes]) => {
    if (!owner)
      return take(indexes, {
        result: refused(notOwner(known.value, ops, indexes)),
        again: "later",
      });
    const theirs = await sendTo(front, owner, pick(ops, indexes), round);
    for (const [i, index] of indexes.entries()) take([index], theirs[i] ?? UNHEARD);
  });
  await Promise.all(all);
}

async function sendTo(
  front: Front,
  owner: NodeId,
  ops: readonly Op[],
  { lacked, follow, ack }: Round,
): Promise<readonly Outcome[]> {
  const rulings = lacked.get(owner) ?? [];
  const targetPartitionId = ops[0] ? placeOf(front, ops[0]) : PartitionId(0);
  const answer = await front.callOwner(owner, {
    type: "OP_FORWARD",
    sourceNodeId: "front",
    targetPartitionId,
    forwardId: Seq(1),
    rulings,
    ops,
    ...(ack === "backup" && { ack }),
  });
  if (answer.type !== "answered" || answer.message.type !== "OP_FORWARDED")
    return ops.map((op) => failed(answer, op, placeOf(front, op)));
  const { results, notOwned } = answer.message;
  const news = learn(front, owner, notOwned, lacked);
  return results.map((result, i): Outcome => {
    const op = ops[i];
    if (op && isOnce(op) && mayBeDone(result)) return unknown(placeOf(front, op));
    if (result.type !== "refused" || !isPassing(result.error)) return { result, again: "never" };
    if (result.error.code !== "NOT_OWNER" || !news) return { result, again: "later" };
    return { result, again: follow || news === "told" ? "now" : "never" };
  });
}

/** "learned": it knew better than we did; "told": it will know as much as we do. */
function learn(
  front: Front,
  owner: NodeId,
  notOwned: readonly Ruling[],
  lacked: Map<NodeId, Ruling[]>,
): "learned" | "told" | null {
  let learned = false;
  for (const ruling of notOwned) learned = learnRuling(front.clusterId, ruling) || learned;
  if (learned) return "learned";
  const newer = notOwned.flatMap(({ partitionId, epoch }) => {
    const ruling = front.recalled()?.table.get(partitionId);
    return ruling && ruling.epoch > epoch ? [ruling] : [];
  });
  lacked.set(owner, newer);
  return newer.length > 0 ? "told" : null;
}

/** Said twice it is counted twice: where nobody knows whether it was heard, it is not said again. */
const isOnce = ({ type }: Op): boolean => type === "increment";

/** Its owner has it on disk and is owner no more, and who is has not said whether it got it from there. */
const mayBeDone = (result: Result): boolean =>
  result.type === "refused" &&
  (result.error.code === "OWNER_UNREACHABLE" || result.error.code === "PARTITION_LOST");

const unknown = (partitionId: PartitionId): Outcome => ({
  result: refused(makeError("OUTCOME_UNKNOWN", { partitionId })),
  again: "never",
});

function failed(answer: Answer, op: Op, partitionId: PartitionId): Outcome {
  if (answer.type === "failed" && isOnce(op)) return unknown(partitionId);
  const error = errorOf(answer, () => makeError("OWNER_UNREACHABLE", { partitionId }));
  // The next table is that of the cluster into which this one has gone over.
  const isThere = error.code === "CLUSTER_MERGED";
  const passing = answer.type === "failed" ? answer.again : isPassing(error) || isThere;
  return { result: refused(error), again: passing ? "later" : "never" };
}

const placeOf = (front: Front, op: Op): PartitionId =>
  partitionOf(op.key, front.recalled()?.table.partitionCount ?? 1);

const rulingOf = ({ table }: Known, op: Op | undefined): Ruling | null =>
  op ? table.get(partitionOf(op.key, table.partitionCount)) : null;

function notOwner(known: Known, ops: readonly Op[], [index = 0]: readonly number[]): ErrorInfo {
  const partitionId = rulingOf(known, ops[index])?.partitionId ?? 0;
  return makeError("PARTITION_LOST", { partitionId });
}

const refused = (error: ErrorInfo): Result => ({ type: "refused", error });

const UNSENT = makeError("INTERNAL", { reason: "never sent" });
const UNHEARD: Outcome = {
  result: refused(makeError("INTERNAL", { reason: "fewer results than operations" })),
  again: "never",
};

const pick = (ops: readonly Op[], indexes: readonly number[]): Op[] =>
  indexes.flatMap((index) => ops[index] ?? []);
