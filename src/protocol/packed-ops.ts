/** Operations and their results: a client's, and those that nodes and the front pass on. */
import { err, type Result } from "../data/result.ts";
import type { ClientOp, Get } from "./client-messages.ts";
import {
  counterProblem,
  expiryProblem,
  integerProblem,
  isCounter,
  isExpiry,
  isKey,
  isMap,
  isMillis,
  isNode,
  isProblem,
  isValue,
  keyProblem,
  malformed,
  mapProblem,
  millisProblem,
  nodeProblem,
  valueProblem,
  within,
  type Problem,
} from "./checks.ts";
import { makeError } from "./errors.ts";
import { ENVELOPE_ITEMS_MAX, FRAME_OPS_MAX } from "./limits.ts";
import type { Op } from "./ops.ts";
import { diagnose, unpackList, type Layout } from "./packed.ts";
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

export const packClientOps = (ops: readonly ClientOp[]): unknown[] =>
  ops.map(({ map, key, stamp, value, expiresAt }) => [
    map,
    key,
    stamp.millis,
    stamp.counter,
    stamp.node,
    value,
    expiresAt,
  ]);

export const unpackClientOps = (wire: unknown): Result<readonly ClientOp[], Problem> =>
  unpackBounded(wire, unpackClientOp);

function unpackClientOp(wire: unknown): ClientOp | Problem {
  if (!Array.isArray(wire) || wire.length !== 7) return diagnose(wire, CLIENT_OP_LAYOUT);
  const [map, key, millis, counter, node, value, expiresAt]: unknown[] = wire;
  const right = isMap(map) && isKey(key) && isMillis(millis) && isCounter(counter);
  return right && isNode(node) && isValue(value) && isExpiry(expiresAt)
    ? { map, key, stamp: { millis, counter, node }, value, expiresAt }
    : diagnose(wire, CLIENT_OP_LAYOUT);
}

export const packKeys = (keys: Get["keys"]): unknown[] => keys.map(({ map, key }) => [map, key]);

export const unpackKeys = (wire: unknown): Result<Get["keys"], Problem> =>
  unpackBounded(wire, unpackKey);

function unpackKey(wire: unknown): Get["keys"][number] | Problem {
  if (!Array.isArray(wire) || wire.length !== 2) return diagnose(wire, KEY_LAYOUT);
  const [map, key]: unknown[] = wire;
  return isMap(map) && isKey(key) ? { map, key } : diagnose(wire, KEY_LAYOUT);
}

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

/** The first item of an operation says which layout the rest has. */
const OP_TAGS = { read: 0, write: 1, stampedWrite: 2 } as const;

export const OP_LAYOUTS: Readonly<Record<keyof typeof OP_TAGS, Layout>> = {
  read: { tag: tagProblem, ...KEY_LAYOUT },
  write: { tag: tagProblem, ...KEY_LAYOUT, value: valueProblem, expiresAt: expiryProblem },
  stampedWrite: { tag: tagProblem, ...CLIENT_OP_LAYOUT },
};

function tagProblem(tag: unknown): Problem | null {
  return integerProblem(tag, 0, Object.keys(OP_TAGS).length - 1);
}

/** The `payload` of an OP_FORWARD. */
export const packOps = (ops: readonly Op[]): Uint8Array => writeValue(ops.map(packOp));

function packOp(op: Op): unknown[] {
  const { map, key } = op;
  if (op.type === "read") return [OP_TAGS.read, map, key];
  const { stamp, value, expiresAt } = op;
  if (!stamp) return [OP_TAGS.write, map, key, value, expiresAt];
  return [
    OP_TAGS.stampedWrite,
    map,
    key,
    stamp.millis,
    stamp.counter,
    stamp.node,
    value,
    expiresAt,
  ];
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
    default:
      return within(malformed("the number of a kind of operation"), ".tag");
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

function unpackStampedWrite(wire: readonly unknown[]): Op | null {
  const op = unpackClientOp(wire);
  return isProblem(op) ? null : { type: "write", ...op };
}
