/** Operations on sets and counters: lists that begin with the number of their layout. */
import type { Stamp } from "../data/hlc.ts";
import { parseStamp, formatStamp } from "../data/hlc.ts";
import type { Count } from "../data/count.ts";
import type { Of, Row } from "../data/row.ts";
import type {
  ClientAdd,
  ClientCount,
  ClientOp,
  ClientQuestion,
  ClientRemove,
} from "./client-messages.ts";
import {
  counterProblem,
  elementProblem,
  hashProblem,
  integerProblem,
  isProblem,
  keyProblem,
  listProblem,
  malformed,
  mapProblem,
  nodeProblem,
  tagProblem,
  totalProblem,
  within,
  type Problem,
} from "./checks.ts";
import { expiryProblem, millisProblem } from "./row-fields.ts";
import {
  isCounter,
  isElement,
  isExpiry,
  isHash,
  isKey,
  isMap,
  isMillis,
  isNode,
  isTotal,
} from "./guards.ts";
import { ADDS_MAX, MEMBERS_MAX } from "./limits.ts";
import type { ActorOp, MembersOp, MergeOp, Op, ReadOp, TotalOp, WriteOp } from "./ops.ts";
import { CLIENT_OP_TAGS, packQuestion } from "./packing.ts";
import { checked, packEntry, unpackEntry } from "./packed-rows.ts";
import type { Layout } from "./layout.ts";
import { diagnose, problemIn, unpackList } from "./packed.ts";
import { unpackTags } from "./tags.ts";

/** Between nodes; a client's have the same numbers. */
export const OP_TAGS = {
  ...CLIENT_OP_TAGS,
  read: 0,
  write: 1,
  stampedWrite: 2,
  merge: 8,
  unstampedAdd: 9,
  removeAll: 10,
  increment: 11,
  call: 12,
  events: 13,
} as const;

export function opTagProblem(tag: unknown): Problem | null {
  return integerProblem(tag, 0, Object.keys(OP_TAGS).length - 1);
}

const OF: Layout = { tag: opTagProblem, map: mapProblem, key: keyProblem };
const STAMP: Layout = { millis: millisProblem, counter: counterProblem, node: nodeProblem };
const COUNT: Layout = { inc: totalProblem, dec: totalProblem };

/** From a client. */
export const CLIENT_SET_LAYOUTS = {
  add: { ...OF, ...STAMP, value: elementProblem, expiresAt: expiryProblem },
  remove: { ...OF, ...STAMP, value: elementProblem, tags: tagsProblem },
  count: { ...OF, ...COUNT, replica: replicaProblem },
} satisfies Record<string, Layout>;

const QUESTION_LAYOUTS = {
  members: { ...OF, after: hashProblem, limit: limitProblem },
  total: OF,
} satisfies Record<string, Layout>;

/** Between nodes. */
export const SET_OP_LAYOUTS = {
  ...QUESTION_LAYOUTS,
  merge: { ...OF, rows: rowsProblem },
  unstampedAdd: { ...OF, value: elementProblem, expiresAt: expiryProblem },
  removeAll: { ...OF, stamp: stampProblem, value: elementProblem },
  increment: { ...OF, ...COUNT },
} satisfies Record<string, Layout>;

function tagsProblem(tags: unknown): Problem | null {
  return tags === null ? null : problemIn(unpackTags(tags));
}

function replicaProblem(replica: unknown): Problem | null {
  return replica === null ? null : nodeProblem(replica);
}

function limitProblem(limit: unknown): Problem | null {
  return integerProblem(limit, 1, MEMBERS_MAX);
}

function rowsProblem(rows: unknown): Problem | null {
  return listProblem(rows, 0, ADDS_MAX);
}

function stampProblem(stamp: unknown): Problem | null {
  return stamp === null ? null : tagProblem(stamp);
}

// ------------------------------------------------------------------ packing

export function packSetOp(op: Exclude<Op, ActorOp | ReadOp | WriteOp>): unknown[] {
  const { map, key } = op;
  switch (op.type) {
    case "members":
    case "total":
      return packQuestion(op);
    case "merge":
      return [OP_TAGS.merge, map, key, op.rows.map(packEntry)];
    case "increment":
      return [OP_TAGS.increment, map, key, op.inc, op.dec];
    case "add":
      return [OP_TAGS.unstampedAdd, map, key, op.value, op.expiresAt];
    case "remove":
      return [OP_TAGS.removeAll, map, key, op.stamp && formatStamp(op.stamp), op.value];
  }
}

// ------------------------------------------------------------------ unpacking

type ClientSetOp = Extract<ClientOp, { type: string }>;

export function unpackClientSetOp(wire: readonly unknown[]): ClientSetOp | Problem {
  switch (wire[0]) {
    case OP_TAGS.add:
      return unpackAdd(wire) ?? diagnose(wire, CLIENT_SET_LAYOUTS.add);
    case OP_TAGS.remove:
      return unpackRemove(wire) ?? diagnose(wire, CLIENT_SET_LAYOUTS.remove);
    case OP_TAGS.count: {
      const count = unpackClientCount(wire);
      return count ?? diagnose(wire, CLIENT_SET_LAYOUTS.count);
    }
    default:
      return noSuchTag;
  }
}

export function unpackSetQuestion(
  wire: readonly unknown[],
): Extract<ClientQuestion, { type: string }> | Problem {
  switch (wire[0]) {
    case OP_TAGS.members:
      return unpackMembers(wire) ?? diagnose(wire, QUESTION_LAYOUTS.members);
    case OP_TAGS.total:
      return unpackTotal(wire) ?? diagnose(wire, QUESTION_LAYOUTS.total);
    default:
      return noSuchTag;
  }
}

export function unpackSetOp(wire: readonly unknown[]): Op | Problem {
  switch (wire[0]) {
    case OP_TAGS.merge:
      return unpackMerge(wire);
    case OP_TAGS.unstampedAdd:
      return unpackUnstampedAdd(wire) ?? diagnose(wire, SET_OP_LAYOUTS.unstampedAdd);
    case OP_TAGS.removeAll:
      return unpackRemoveAll(wire) ?? diagnose(wire, SET_OP_LAYOUTS.removeAll);
    case OP_TAGS.increment: {
      const count = wire.length === 5 ? unpackCount(wire) : null;
      return count ? { type: "increment", ...count } : diagnose(wire, SET_OP_LAYOUTS.increment);
    }
    default:
      return unpackSetQuestion(wire);
  }
}

const noSuchTag = within(malformed("the number of a kind of operation"), ".tag");

interface Stamped extends Of {
  readonly stamp: Stamp;
  readonly value: Uint8Array;
}

/** As far as an add and a removal are alike. */
function unpackStamped(wire: readonly unknown[]): Stamped | null {
  const [, map, key, millis, counter, node, value] = wire;
  const right = wire.length === 8 && isMap(map) && isKey(key) && isElement(value);
  return right && isMillis(millis) && isCounter(counter) && isNode(node)
    ? { map, key, stamp: { millis, counter, node }, value }
    : null;
}

function unpackAdd(wire: readonly unknown[]): ClientAdd | null {
  const add = unpackStamped(wire);
  const expiresAt = wire[7];
  return add && isExpiry(expiresAt) ? { type: "add", ...add, expiresAt } : null;
}

function unpackRemove(wire: readonly unknown[]): ClientRemove | null {
  const remove = unpackStamped(wire);
  if (!remove) return null;
  if (wire[7] === null) return { type: "remove", ...remove, tags: null };
  const tags = unpackTags(wire[7]);
  return tags.ok ? { type: "remove", ...remove, tags: tags.value } : null;
}

function unpackClientCount(wire: readonly unknown[]): ClientCount | null {
  const count = wire.length === 6 ? unpackCount(wire) : null;
  const replica = wire[5];
  if (!count || (replica !== null && !isNode(replica))) return null;
  return { type: "count", ...count, ...(replica !== null && { replica }) };
}

function unpackCount(wire: readonly unknown[]): (Of & Count) | null {
  const [, map, key, inc, dec] = wire;
  const right = isMap(map) && isKey(key);
  return right && isTotal(inc) && isTotal(dec) ? { map, key, inc, dec } : null;
}

function unpackMembers(wire: readonly unknown[]): MembersOp | null {
  const [, map, key, after, limit] = wire;
  const right = wire.length === 5 && isMap(map) && isKey(key) && isHash(after);
  return right && typeof limit === "number" && !limitProblem(limit)
    ? { type: "members", map, key, after, limit }
    : null;
}

function unpackTotal(wire: readonly unknown[]): TotalOp | null {
  const [, map, key] = wire;
  return wire.length === 3 && isMap(map) && isKey(key) ? { type: "total", map, key } : null;
}

function unpackMerge(wire: readonly unknown[]): MergeOp | Problem {
  const [, map, key, packed] = wire;
  if (wire.length !== 4 || !isMap(map) || !isKey(key)) return diagnose(wire, SET_OP_LAYOUTS.merge);
  const rows = unpackList(packed, ADDS_MAX, (item): Row | Problem => {
    const row = Array.isArray(item) ? unpackEntry(item, { map, key }) : malformed("a list");
    if (isProblem(row)) return row;
    return row.kind === "lww" ? malformed("of a set or a counter") : checked(row);
  });
  return rows.ok ? { type: "merge", map, key, rows: rows.value } : within(rows.error, ".rows");
}

function unpackUnstampedAdd(wire: readonly unknown[]): Op | null {
  const [, map, key, value, expiresAt] = wire;
  const right = wire.length === 5 && isMap(map) && isKey(key);
  return right && isElement(value) && isExpiry(expiresAt)
    ? { type: "add", map, key, value, expiresAt }
    : null;
}

function unpackRemoveAll(wire: readonly unknown[]): Op | null {
  const [, map, key, text, value] = wire;
  if (wire.length !== 5 || !isMap(map) || !isKey(key) || !isElement(value)) return null;
  if (text === null) return { type: "remove", map, key, stamp: null, value };
  const stamp = typeof text === "string" ? parseStamp(text) : null;
  return stamp?.ok ? { type: "remove", map, key, stamp: stamp.value, value } : null;
}
