/** Operations and their results: a client's, and those that nodes and the front pass on. */
import { err, type Result } from "../data/result.ts";
import type { ClientCall, ClientOp, ClientQuestion, ClientWrite } from "./client-messages.ts";
import {
  counterProblem,
  isProblem,
  keyProblem,
  malformed,
  mapProblem,
  nodeProblem,
  valueProblem,
  type Problem,
} from "./checks.ts";
import { expiryProblem, millisProblem } from "./row-fields.ts";
import { isCounter, isExpiry, isKey, isMap, isMillis, isNode, isValue } from "./guards.ts";
import { makeError } from "./errors.ts";
import { ENVELOPE_ITEMS_MAX, FRAME_OPS_MAX } from "./limits.ts";
import { isForActor, type Op, type WriteOp } from "./ops.ts";
import {
  OP_TAGS,
  opTagProblem,
  packSetOp,
  SET_OP_LAYOUTS,
  unpackClientSetOp,
  unpackSetOp,
  unpackSetQuestion,
} from "./packed-set-ops.ts";
import {
  CALL_LAYOUT,
  EVENTS_LAYOUT,
  packActorOp,
  unpackActorOp,
  unpackClientCall,
} from "./packed-calls.ts";
import type { Layout } from "./layout.ts";
import { diagnose, unpackList } from "./packed.ts";
import { packClientWrite } from "./packing.ts";
import { readValue } from "./reader.ts";
import { writeValue } from "./writer.ts";

export const KEY_LAYOUT: Layout = { map: mapProblem, key: keyProblem };

export const CLIENT_OP_LAYOUT: Layout = {
  ...KEY_LAYOUT,
  millis: millisProblem,
  counter: counterProblem,
  node: nodeProblem,
  value: valueProblem,
  expiresAt: expiryProblem,
};

// ------------------------------------------------------------------ from a client

export const unpackClientOps = (wire: unknown): Result<readonly ClientOp[], Problem> =>
  unpackBounded(wire, unpackClientOp);

/** Only what is no entry begins with a number. */
const isTagged = (wire: unknown): wire is unknown[] =>
  Array.isArray(wire) && typeof wire[0] === "number";

const unpackClientOp = (wire: unknown): ClientOp | Problem =>
  isTagged(wire) ? unpackClientSetOp(wire) : unpackClientWrite(wire);

function unpackClientWrite(wire: unknown): ClientWrite | Problem {
  if (!Array.isArray(wire) || wire.length !== 7) return diagnose(wire, CLIENT_OP_LAYOUT);
  const [map, key, millis, counter, node, value, expiresAt]: unknown[] = wire;
  const right = isMap(map) && isKey(key) && isMillis(millis) && isCounter(counter);
  return right && isNode(node) && isValue(value) && isExpiry(expiresAt)
    ? { map, key, stamp: { millis, counter, node }, value, expiresAt }
    : diagnose(wire, CLIENT_OP_LAYOUT);
}

export const unpackKeys = (wire: unknown): Result<readonly ClientQuestion[], Problem> =>
  unpackBounded(wire, unpackKey);

function unpackKey(wire: unknown): ClientQuestion | Problem {
  if (isTagged(wire)) return unpackSetQuestion(wire);
  if (!Array.isArray(wire) || wire.length !== 2) return diagnose(wire, KEY_LAYOUT);
  const [map, key]: unknown[] = wire;
  return isMap(map) && isKey(key) ? { map, key } : diagnose(wire, KEY_LAYOUT);
}

export const unpackClientCalls = (wire: unknown): Result<readonly ClientCall[], Problem> =>
  unpackBounded(wire, unpackClientCall);

function unpackBounded<T extends object>(
  wire: unknown,
  unpack: (item: unknown) => T | Problem,
): Result<readonly T[], Problem> {
  if (Array.isArray(wire) && wire.length > FRAME_OPS_MAX) {
    const ops = wire.length;
    return err(() => makeError("TOO_MANY_OPS", { ops, opsMax: FRAME_OPS_MAX }));
  }
  return unpackList(wire, FRAME_OPS_MAX, unpack);
}

// ------------------------------------------------------------------ between nodes

export const OP_LAYOUTS: Readonly<
  Record<
    "read" | "write" | "stampedWrite" | "call" | "events" | keyof typeof SET_OP_LAYOUTS,
    Layout
  >
> = {
  read: { tag: opTagProblem, ...KEY_LAYOUT },
  write: { tag: opTagProblem, ...KEY_LAYOUT, value: valueProblem, expiresAt: expiryProblem },
  stampedWrite: { tag: opTagProblem, ...CLIENT_OP_LAYOUT },
  ...SET_OP_LAYOUTS,
  call: CALL_LAYOUT,
  events: EVENTS_LAYOUT,
};

/** The `payload` of an OP_FORWARD. */
export const packOps = (ops: readonly Op[]): Uint8Array => writeValue(ops.map(packOp));

function packOp(op: Op): unknown[] {
  if (op.type === "read") return [OP_TAGS.read, op.map, op.key];
  if (isForActor(op)) return packActorOp(op);
  if (op.type !== "write") return packSetOp(op);
  const { map, key, stamp, value, expiresAt } = op;
  if (!stamp) return [OP_TAGS.write, map, key, value, expiresAt];
  return [OP_TAGS.stampedWrite, ...packClientWrite({ ...op, type: undefined, stamp })];
}

export function unpackOps(payload: unknown): Result<readonly Op[], Problem> {
  if (!(payload instanceof Uint8Array)) return err(malformed("bytes"));
  const list = readValue(payload, ENVELOPE_ITEMS_MAX);
  return list.ok ? unpackBounded(list.value, unpackOp) : list;
}

function unpackOp(wire: unknown): Op | Problem {
  if (!Array.isArray(wire)) return malformed("a list");
  const [tag, ...rest]: unknown[] = wire;
  switch (tag) {
    case OP_TAGS.read:
      return unpackRead(rest) ?? diagnose(wire, OP_LAYOUTS.read);
    case OP_TAGS.write:
      return unpackWrite(rest) ?? diagnose(wire, OP_LAYOUTS.write);
    case OP_TAGS.stampedWrite:
      return unpackStampedWrite(rest) ?? diagnose(wire, OP_LAYOUTS.stampedWrite);
    case OP_TAGS.call:
    case OP_TAGS.events:
      return unpackActorOp(wire);
    default:
      return unpackSetOp(wire);
  }
}

function unpackRead(wire: readonly unknown[]): Op | null {
  const [map, key] = wire;
  return wire.length === 2 && isMap(map) && isKey(key) ? { type: "read", map, key } : null;
}

function unpackWrite(wire: readonly unknown[]): Op | null {
  const [map, key, value, expiresAt] = wire;
  const right =
    wire.length === 4 && isMap(map) && isKey(key) && isValue(value) && isExpiry(expiresAt);
  return right ? { type: "write", map, key, stamp: null, value, expiresAt } : null;
}

function unpackStampedWrite(wire: readonly unknown[]): WriteOp | null {
  const op = unpackClientWrite(wire);
  return isProblem(op) ? null : { ...op, type: "write" };
}
