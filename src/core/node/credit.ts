/**
 * Requests that are not answered yet, and what each socket and the node have waiting in them. Those of a socket that
 * has closed count until they are done: else a client could pile up any amount by connecting again and again.
 */
import type { NodeId, Seq } from "../../data/ids.ts";
import { makeError, type ErrorInfo } from "../../protocol/errors.ts";
import { CREDIT_FRAMES, CREDIT_OPS } from "../../protocol/limits.ts";
import { valueBytesOf, type Op } from "../../protocol/ops.ts";
import type { CallId } from "../machine/cluster-event.ts";
import type { Credit, PendingRequest, Size, SocketId } from "./requests.ts";
import type { Turn } from "./turn.ts";

const NONE: Credit = { frames: 0, ops: 0 };

const PENDING_OPS = "pending ops";
const PENDING_BYTES = "pending bytes";

export function addPending(turn: Turn, id: number, request: PendingRequest): void {
  turn.setMemory({ pending: turn.memory.pending.with(id, request) });
  tally(turn, request, 1);
  const { origin } = request;
  if (origin.type !== "peer" || origin.from === null) return;
  const { asked } = turn.memory;
  const others = asked.get(origin.forwardId) ?? [];
  const all = [...others, { from: origin.from, id }];
  turn.setMemory({ asked: asked.with(origin.forwardId, all) });
}

/** True if that node waits for the same already: then it is answered together with what it asked before. */
export function joins(turn: Turn, from: NodeId, forwardId: Seq, call: CallId): boolean {
  const known = turn.memory.asked.get(forwardId)?.find((asked) => asked.from === from);
  const request = known && turn.memory.pending.get(known.id);
  if (!request || request.origin.type !== "peer") return false;
  const origin = { ...request.origin, calls: [...request.origin.calls, call] };
  changePending(turn, known.id, { ...request, origin });
  return true;
}

/** The same request, with some of its results. */
export function changePending(turn: Turn, id: number, request: PendingRequest): void {
  const before = turn.memory.pending.get(id);
  turn.setMemory({ pending: turn.memory.pending.with(id, request) });
  if (before) turn.countPending({ ops: 0, bytes: bytesOf(request) - bytesOf(before) });
}

export function dropPending(turn: Turn, id: number): void {
  const request = turn.memory.pending.get(id);
  if (!request) return;
  turn.setMemory({ pending: turn.memory.pending.without(id) });
  tally(turn, request, -1);
  if (request.origin.type !== "peer") return;
  const { forwardId } = request.origin;
  const { asked } = turn.memory;
  const others = (asked.get(forwardId) ?? []).filter((one) => one.id !== id);
  turn.setMemory({
    asked: others.length > 0 ? asked.with(forwardId, others) : asked.without(forwardId),
  });
}

const bytesOf = ({ opsBytes, valueBytes }: PendingRequest): number => opsBytes + valueBytes;

function tally(turn: Turn, request: PendingRequest, sign: 1 | -1): void {
  const { origin, results } = request;
  turn.countPending({ ops: sign * results.length, bytes: sign * bytesOf(request) });
  if (origin.type !== "socket") return;
  const { frames, ops } = creditOf(turn, origin.socket);
  turn.setCredit(origin.socket, { frames: frames + sign, ops: ops + sign * results.length });
}

const creditOf = (turn: Turn, socket: SocketId): Credit =>
  turn.memory.credits.sockets.get(socket) ?? NONE;

/** What the frames of one event take, beside what is pending already. */
export class Taken {
  readonly #turn: Turn;
  readonly #sockets = new Map<SocketId, Credit>();
  #all: Size = { ops: 0, bytes: 0 };

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  /** Takes that much, or says why not; what is refused takes nothing. */
  take(socket: SocketId, all: readonly Op[]): ErrorInfo | null {
    const known = this.#sockets.get(socket) ?? creditOf(this.#turn, socket);
    const [frames, ops] = [known.frames + 1, known.ops + all.length];
    const size = sizeOf(all);
    const both = { ops: this.#all.ops + size.ops, bytes: this.#all.bytes + size.bytes };
    const error = overdrawn(frames, ops) ?? (all.length > 0 ? overloaded(this.#turn, both) : null);
    if (error) return error;
    this.#sockets.set(socket, { frames, ops });
    this.#all = both;
    return null;
  }
}

function overdrawn(frames: number, ops: number): ErrorInfo | null {
  if (frames > CREDIT_FRAMES)
    return makeError("CREDIT_EXCEEDED", { field: "frames", value: frames, max: CREDIT_FRAMES });
  if (ops > CREDIT_OPS)
    return makeError("CREDIT_EXCEEDED", { field: "ops", value: ops, max: CREDIT_OPS });
  return null;
}

/** No more than what they take in a frame: what an inbox may let in together is not too much here. */
export function sizeOf(ops: readonly Op[]): Size {
  const bytes = ops.reduce((sum, op) => sum + op.map.length + op.key.length + valueBytesOf(op), 0);
  return { ops: ops.length, bytes };
}

/** Whoever may wait is counted, however the ops came: they take the same memory. */
export function overloaded(turn: Turn, size: Size): ErrorInfo | null {
  const { pendingOpsMax, pendingBytesMax } = turn.config;
  const ops = turn.memory.credits.ops + size.ops;
  const bytes = turn.memory.credits.bytes + size.bytes;
  if (ops > pendingOpsMax)
    return makeError("OVERLOADED", { field: PENDING_OPS, value: ops, max: pendingOpsMax });
  return bytes > pendingBytesMax ? tooManyBytes(bytes, pendingBytesMax) : null;
}

export const tooManyBytes = (value: number, max: number): ErrorInfo =>
  makeError("OVERLOADED", { field: PENDING_BYTES, value, max });

/** Refused for what waits where it was asked for, not for what was asked or how. */
export const lacksRoom = ({ code, data }: ErrorInfo): boolean =>
  code === "OVERLOADED" && (data["field"] === PENDING_OPS || data["field"] === PENDING_BYTES);
