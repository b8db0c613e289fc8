/** Requests that are not answered yet because an op of theirs waits for a copy or for another node. */
import { toPartitionMap } from "../placement/table.ts";
import { makeError, type ErrorInfo } from "../../protocol/errors.ts";
import { ANSWER_VALUE_BYTES_MAX } from "../../protocol/limits.ts";
import { isCallResult } from "../../protocol/client-calls.ts";
import type { OpException } from "../../protocol/client-messages.ts";
import { isReadResult, valueBytesIn, type OpResult, type ReadResult } from "../../protocol/ops.ts";
import { changePending, dropPending, tooManyBytes } from "./credit.ts";
import type { Elsewhere, Origin, PendingRequest, Results } from "./requests.ts";
import { tableOf } from "./table.ts";
import type { Turn } from "./turn.ts";

/** Fills in results; answers the request when none is missing. */
export function settle(
  turn: Turn,
  id: number,
  indexes: readonly number[],
  results: readonly (OpResult | ReadResult)[],
): void {
  const request = turn.memory.pending.get(id);
  if (!request) return;
  const filled = [...request.results];
  let missing = request.missing;
  for (const [i, index] of indexes.entries()) {
    if (filled[index] === null) missing--;
    filled[index] = results[i] ?? null;
  }
  if (missing > 0) {
    const before = request.opsBytes + request.valueBytes;
    return changePending(turn, id, waiting(turn, { ...request, results: filled, missing }, before));
  }
  dropPending(turn, id);
  answerRequest(turn, request.origin, filled, request.elsewhere);
}

/** A request that must wait, with values as far as there is room; `before`: bytes of it that are counted already. */
export function waiting(
  turn: Turn,
  request: Omit<PendingRequest, "valueBytes">,
  before: number,
): PendingRequest {
  const { pendingBytesMax: max } = turn.config;
  const others = turn.memory.credits.bytes - before + request.opsBytes;
  let valueBytes = 0;
  const results = request.results.map((result) => {
    const own = result ? valueBytesIn(result) : 0;
    if (own === 0) return result;
    const bytes = valueBytes + own;
    if (bytes > ANSWER_VALUE_BYTES_MAX) return tooLarge(bytes);
    if (others + bytes > max) return refused(tooManyBytes(others + bytes, max));
    valueBytes = bytes;
    return result;
  });
  return { ...request, results, valueBytes };
}

export function answerRequest(
  turn: Turn,
  origin: Origin,
  results: Results,
  elsewhere: readonly Elsewhere[],
): void {
  const all = bounded(results.filter((result) => result !== null));
  countTraffic(turn, all.length);
  if (origin.type === "peer") {
    const { calls, forwardId } = origin;
    const notOwned = [...new Set(elsewhere.map(({ ruling }) => ruling))];
    for (const call of calls)
      turn.answer(call, { type: "OP_FORWARDED", forwardId, results: all, notOwned });
    return;
  }
  notify(turn, origin, elsewhere, true);
  const { socket, seq } = origin;
  if (origin.kind === "OPS")
    return turn.do({
      type: "push",
      socket,
      message: { type: "ACK", seq, exceptions: exceptionsOf(all) },
    });
  if (origin.kind === "CALL") {
    const replies = all.filter(isCallResult);
    return turn.do({ type: "push", socket, message: { type: "REPLIES", seq, replies } });
  }
  const values = all.filter(isReadResult);
  turn.do({ type: "push", socket, message: { type: "VALUES", seq, values } });
}

/** Values as far as one answer takes them; what is refused can be asked for again by itself. */
function bounded(results: readonly (OpResult | ReadResult)[]): readonly (OpResult | ReadResult)[] {
  let bytes = 0;
  return results.map((result) => {
    const own = valueBytesIn(result);
    if (own === 0) return result;
    bytes += own;
    if (bytes <= ANSWER_VALUE_BYTES_MAX) return result;
    return tooLarge(bytes);
  });
}

const tooLarge = (value: number): Refused =>
  refused(
    makeError("OVERLOADED", { field: "bytes of values", value, max: ANSWER_VALUE_BYTES_MAX }),
  );

type Refused = Extract<OpResult, { type: "refused" }>;
const refused = (error: ErrorInfo): Refused => ({ type: "refused", error });

const exceptionsOf = (results: readonly (OpResult | ReadResult)[]): OpException[] =>
  results.flatMap((result, index) =>
    result.type === "superseded" || result.type === "refused" ? [{ index, result }] : [],
  );

/** Tells a client where these ops belong, with the map if it has not been sent this version. */
export function notify(
  turn: Turn,
  origin: Extract<Origin, { type: "socket" }>,
  ops: readonly Elsewhere[],
  applied: boolean,
): void {
  if (ops.length === 0) return;
  const { socket, seq, session } = origin;
  const mapVersion = turn.self.tableVersion;
  const partitionIds = [...new Set(ops.map((op) => op.ruling.partitionId))];
  const owners = partitionIds.map((partitionId) => ({
    partitionId,
    ownerNodeId: turn.partition(partitionId).ruling.owner,
  }));
  const news = session.mapVersion < mapVersion && turn.tellsMap(socket);
  turn.do({
    type: "push",
    socket,
    message: {
      type: "NOT_OWNER",
      seq,
      indexes: ops.map((op) => op.index),
      applied,
      owners,
      mapVersion,
      ...(news && { map: mapOf(turn) }),
    },
  });
  const viewVersion = turn.state.saved.view.version;
  if (news) turn.do({ type: "attach", socket, session: { ...session, mapVersion, viewVersion } });
}

export const mapOf = (turn: Turn): ReturnType<typeof toPartitionMap> =>
  toPartitionMap(tableOf(turn.state.saved), turn.state.saved.view, turn.now);

const TRAFFIC_WINDOW_MS = 10_000;

function countTraffic(turn: Turn, ops: number): void {
  const { traffic } = turn.memory;
  const age = turn.now - traffic.windowMs;
  if (age < TRAFFIC_WINDOW_MS)
    return turn.setMemory({ traffic: { ...traffic, ops: traffic.ops + ops } });
  const lastOps = age < 2 * TRAFFIC_WINDOW_MS ? traffic.ops : 0;
  turn.setMemory({ traffic: { windowMs: turn.now, ops, lastOps } });
}

/** Over the last full window and the running one. */
export function opsPerSecond(turn: Turn): number {
  const { windowMs, ops, lastOps } = turn.memory.traffic;
  const age = turn.now - windowMs;
  if (age >= 2 * TRAFFIC_WINDOW_MS) return 0;
  return ((ops + lastOps) * 1_000) / (TRAFFIC_WINDOW_MS + Math.min(age, TRAFFIC_WINDOW_MS));
}
