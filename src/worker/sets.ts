/** Sets and counters over HTTP: their owner makes the tags, and counts under a name of its own. */
import { ok } from "../data/result.ts";
import { makeError } from "../protocol/errors.ts";
import { MEMBERS_MAX } from "../protocol/limits.ts";
import type { Op } from "../protocol/ops.ts";
import { incrementOf, readJson } from "./bodies.ts";
import { apply, errorOf, type Asked, type OneResult } from "./entries.ts";
import type { Front } from "./front.ts";
import { encodeJson } from "../protocol/values.ts";
import { errorReply, jsonReply, reply } from "./replies.ts";
import type { Parsed, SetRoute } from "./routes.ts";
import { jsonText } from "./values.ts";

/** Of values in one answer: beyond it the rest is left to a cursor. */
const SET_BYTES_MAX = 4 * 1024 * 1024;

const UNHEARD = makeError("INTERNAL", { reason: "a set was asked for, and something else came" });

type RouteOf<Type extends SetRoute["type"]> = Extract<SetRoute, { type: Type }>;

export async function sets(front: Front, route: SetRoute, asked: Asked): Promise<Response> {
  switch (route.type) {
    case "members":
      return members(front, route, asked);
    case "total":
      return total(front, [], route, asked);
    case "count": {
      const increment = await incrementOp(route, asked.request);
      return increment.ok
        ? total(front, [increment.value], route, asked)
        : errorReply(increment.error);
    }
    default:
      return change(front, route, asked);
  }
}

async function change(
  front: Front,
  route: RouteOf<"add" | "remove">,
  { request, pinned }: Asked,
): Promise<Response> {
  const json = await readJson(request);
  const value = json.ok ? encodeJson(json.value, "value") : json;
  if (!value.ok) return errorReply(value.error);
  const { map, key, ack } = route;
  const of = { map, key, value: value.value };
  const op: Op =
    route.type === "remove"
      ? { type: "remove", ...of, stamp: null }
      : { type: "add", ...of, expiresAt: route.ttlMs === null ? null : Date.now() + route.ttlMs };
  const results = await apply(front, [op], { pinned, ack });
  if (results instanceof Response) return results;
  const error = errorOf(results.get(op));
  if (error) return errorReply(error);
  if (route.type === "remove") return new Response(null, { status: 204 });
  return jsonReply(jsonText(value.value));
}

async function incrementOp({ map, key }: RouteOf<"count">, request: Request): Promise<Parsed<Op>> {
  const json = await readJson(request);
  const n = json.ok ? incrementOf(json.value) : json;
  if (!n.ok) return n;
  const [inc, dec] = [Math.max(0, n.value), Math.max(0, -n.value)];
  return ok({ type: "increment", map, key, inc, dec });
}

/** Asked for together with what is added, it is read after that. */
async function total(
  front: Front,
  before: readonly Op[],
  route: RouteOf<"count" | "total">,
  { pinned }: Asked,
): Promise<Response> {
  const { map, key } = route;
  const ask: Op = { type: "total", map, key };
  const ack = route.type === "count" ? route.ack : "owner";
  const results = await apply(front, [...before, ask], { pinned, ack });
  if (results instanceof Response) return results;
  for (const op of before) {
    const error = errorOf(results.get(op));
    if (error) return errorReply(error);
  }
  const error = errorOf(results.get(ask));
  // It is counted, and must not be counted again for that.
  if (error && before.length > 0) return reply({ value: null });
  if (error) return errorReply(error);
  return reply({ value: valueOf(results.get(ask)) });
}

const valueOf = (result: OneResult | undefined): number =>
  result?.type === "total" ? result.inc - result.dec : 0;

async function members(
  front: Front,
  { map, key, limit, after: from }: RouteOf<"members">,
  { pinned }: Asked,
): Promise<Response> {
  const values: string[] = [];
  let after = from;
  for (let bytes = 0; values.length < limit && bytes < SET_BYTES_MAX;) {
    const room = Math.min(limit - values.length, MEMBERS_MAX);
    const op: Op = { type: "members", map, key, after, limit: room };
    const results = await apply(front, [op], { pinned, ack: "owner" });
    if (results instanceof Response) return results;
    const result = results.get(op);
    const error = errorOf(result);
    if (error || result?.type !== "members") return errorReply(error ?? UNHEARD);
    for (const { value } of result.members) {
      values.push(jsonText(value));
      bytes += value.length;
    }
    ({ after } = result);
    if (after === null) break;
  }
  return jsonReply(`{"values":[${values.join(",")}],"cursor":${JSON.stringify(after)}}`);
}
