/** Entries of maps: one, many, all. */
import { partitionOf } from "../data/hash.ts";
import { PartitionId } from "../data/ids.ts";
import { ok } from "../data/result.ts";
import { toPartitionMap } from "../core/placement/table.ts";
import { makeError, type ErrorInfo } from "../protocol/errors.ts";
import type { AckLevel, Op, OpResult, ReadResult } from "../protocol/ops.ts";
import { batchOf, readJson, type Batch } from "./bodies.ts";
import type { Front } from "./front.ts";
import { forward } from "./owners.ts";
import { errorJson, errorReply, jsonReply, reply } from "./replies.ts";
import type { Parsed, Route } from "./routes.ts";
import { scan } from "./scan.ts";
import { encodeJson } from "../protocol/values.ts";
import { jsonText } from "./values.ts";

export type EntryRoute = Extract<Route, { type: "get" | "put" | "delete" | "batch" | "scan" }>;
type OneRoute = Extract<EntryRoute, { type: "get" | "put" | "delete" }>;

export interface Asked {
  readonly request: Request;
  /** The map version that the caller insists on. */
  readonly pinned: number | null;
}

export type OneResult = OpResult | ReadResult;
type Results = ReadonlyMap<Op, OneResult | undefined>;

export async function entries(front: Front, route: EntryRoute, asked: Asked): Promise<Response> {
  switch (route.type) {
    case "scan":
      return (await notAsPinned(front, asked.pinned, PartitionId(0))) ?? scanReply(front, route);
    case "batch":
      return batch(front, route, asked);
    default:
      return one(front, route, asked);
  }
}

// ------------------------------------------------------------------ one, many

async function one(front: Front, route: OneRoute, { request, pinned }: Asked): Promise<Response> {
  const op = await opOf(route, request);
  if (!op.ok) return errorReply(op.error);
  const ack = route.type === "get" ? "owner" : route.ack;
  const results = await apply(front, [op.value], { pinned, ack });
  return results instanceof Response ? results : oneReply(op.value, results.get(op.value));
}

async function opOf(route: OneRoute, request: Request): Promise<Parsed<Op>> {
  const { map, key } = route;
  if (route.type === "get") return ok({ type: "read", map, key });
  const write = { type: "write", map, key, stamp: null, expiresAt: null } as const;
  if (route.type !== "put") return ok({ ...write, value: null });
  const json = await readJson(request);
  if (!json.ok) return json;
  const value = encodeJson(json.value, "value");
  if (!value.ok) return value;
  const { ttlMs } = route;
  const expiresAt = ttlMs === null ? null : Date.now() + ttlMs;
  return ok({ ...write, value: value.value, expiresAt });
}

async function batch(
  front: Front,
  { map, ack }: Extract<EntryRoute, { type: "batch" }>,
  { request, pinned }: Asked,
): Promise<Response> {
  const json = await readJson(request);
  const asked = json.ok ? batchOf(map, json.value) : json;
  if (!asked.ok) return errorReply(asked.error);
  const ops = [...asked.value.values()].flatMap((op) => (op.ok ? [op.value] : []));
  const results = await apply(front, ops, { pinned, ack });
  return results instanceof Response ? results : batchReply(asked.value, results);
}

/** A Response where the request as a whole has failed. */
export async function apply(
  front: Front,
  ops: readonly Op[],
  { pinned, ack }: Pick<Asked, "pinned"> & { readonly ack: AckLevel },
): Promise<Results | Response> {
  const known = await front.known();
  if (!known.ok) return errorReply(known.error);
  const { partitionCount } = known.value.table;
  const placeOf = (op: Op | undefined): PartitionId => partitionOf(op?.key ?? "", partitionCount);
  const wrong = await notAsPinned(front, pinned, placeOf(ops[0]));
  if (wrong) return wrong;
  const results = await forward(front, ops, { follow: pinned === null, ack });
  const moved = results.findIndex((result) => errorOf(result)?.code === "NOT_OWNER");
  if (pinned !== null && moved >= 0) return wrongOwner(front, placeOf(ops[moved]));
  return new Map(ops.map((op, i) => [op, results[i]]));
}

// ------------------------------------------------------------------ replies

function oneReply(op: Op, result: OneResult | undefined): Response {
  const error = errorOf(result);
  if (error) return errorReply(error);
  if (op.type === "write" && op.value === null) return new Response(null, { status: 204 });
  const value = op.type === "write" ? op.value : valueOf(result);
  if (value) return jsonReply(jsonText(value));
  const { map, key } = op;
  return errorReply(makeError("KEY_NOT_FOUND", { map, key }));
}

/** Whether each op went well is its own affair. */
function batchReply(asked: Batch, results: Results): Response {
  const entryOf = ([key, op]: [string, Parsed<Op>]): [string, object] => {
    const error = op.ok ? errorOf(results.get(op.value)) : op.error;
    return [key, error ? { error: errorJson(error) } : { ok: true }];
  };
  return reply({ results: Object.fromEntries([...asked].map(entryOf)) });
}

const valueOf = (result: OneResult | undefined): Uint8Array | null =>
  result?.type === "value" ? result.value : null;

export function errorOf(result: OneResult | undefined): ErrorInfo | null {
  if (!result) return makeError("INTERNAL", { reason: "an op without a result" });
  return result.type === "refused" ? result.error : null;
}

async function scanReply(
  front: Front,
  route: Extract<EntryRoute, { type: "scan" }>,
): Promise<Response> {
  const scanned = await scan(front, route);
  if (!scanned.ok) return errorReply(scanned.error);
  const list = scanned.value.entries.map(
    ({ key, value }) => `{"key":${JSON.stringify(key)},"value":${jsonText(value)}}`,
  );
  const cursor = JSON.stringify(scanned.value.cursor);
  return jsonReply(`{"entries":[${list.join(",")}],"cursor":${cursor}}`);
}

// ------------------------------------------------------------------ pinned versions

/** 421 with the map, when the caller routes by another version than the one that stands. */
async function notAsPinned(
  front: Front,
  pinned: number | null,
  partitionId: PartitionId,
): Promise<Response | null> {
  if (pinned === null) return null;
  const known = await front.known();
  if (known.ok && known.value.table.version === pinned) return null;
  const fresh = await front.refetch();
  if (!fresh.ok) return errorReply(fresh.error);
  return fresh.value.table.version === pinned ? null : wrongOwner(front, partitionId);
}

async function wrongOwner(front: Front, partitionId: PartitionId): Promise<Response> {
  const known = await front.refetch();
  if (!known.ok) return errorReply(known.error);
  const { table, view } = known.value;
  const ownerNodeId = table.get(partitionId).owner;
  const map = toPartitionMap(table, view, Date.now());
  return errorReply(makeError("NOT_OWNER", { partitionId, ownerNodeId }), { map });
}
