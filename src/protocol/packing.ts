/** What a client asks for, as lists: all that it says in numbers. To read it is up to nodes (`packed-ops.ts`). */
import type { ClientOp, ClientQuestion, ClientWrite } from "./client-messages.ts";
import { packTags } from "./tags.ts";

/** The first item of an operation says which layout the rest has. A client's entries have none, and nodes have more. */
export const CLIENT_OP_TAGS = { add: 3, remove: 4, count: 5, members: 6, total: 7 } as const;

export const packClientOps = (ops: readonly ClientOp[]): unknown[] => ops.map(packClientOp);

function packClientOp(op: ClientOp): unknown[] {
  if (!op.type) return packClientWrite(op);
  const { type, map, key } = op;
  if (type === "count") return [CLIENT_OP_TAGS.count, map, key, op.inc, op.dec, op.replica ?? null];
  const { millis, counter, node } = op.stamp;
  const last = type === "add" ? op.expiresAt : packTags(op.tags);
  return [CLIENT_OP_TAGS[type], map, key, millis, counter, node, op.value, last];
}

export const packClientWrite = ({ map, key, stamp, value, expiresAt }: ClientWrite): unknown[] => [
  map,
  key,
  stamp.millis,
  stamp.counter,
  stamp.node,
  value,
  expiresAt,
];

export const packKeys = (keys: readonly ClientQuestion[]): unknown[] => keys.map(packQuestion);

export function packQuestion(asked: ClientQuestion): unknown[] {
  const { type, map, key } = asked;
  if (!type) return [map, key];
  return [
    CLIENT_OP_TAGS[type],
    map,
    key,
    ...(type === "members" ? [asked.after, asked.limit] : []),
  ];
}
