/** Actors over HTTP. */
import { ok } from "../data/result.ts";
import { makeError } from "../protocol/errors.ts";
import type { CallOp } from "../protocol/ops.ts";
import { callOf, readJson } from "./bodies.ts";
import { apply, errorOf, type Asked } from "./entries.ts";
import type { Front } from "./front.ts";
import { errorReply, jsonReply } from "./replies.ts";
import type { ActorRoute, Parsed } from "./routes.ts";
import { jsonText } from "./values.ts";

const UNHEARD = makeError("INTERNAL", { reason: "an actor was asked, and something else came" });

/** The reply of `decide`, or why there is none; and what has happened. */
export async function actors(
  front: Front,
  route: ActorRoute,
  { request, pinned }: Asked,
): Promise<Response> {
  const op = route.type === "events" ? ok(route) : await callOp(route, request);
  if (!op.ok) return errorReply(op.error);
  const results = await apply(front, [op.value], { pinned, ack: "backup" });
  if (results instanceof Response) return results;
  const result = results.get(op.value);
  const error = errorOf(result);
  if (error || result?.type !== "reply") return errorReply(error ?? UNHEARD);
  if (route.type === "events") return jsonReply(jsonText(result.value));
  return jsonReply(`{"reply":${jsonText(result.value)},"version":${result.version}}`);
}

/** Whoever names no command sends a new one: its repeats by this front are one, those of the caller are not. */
async function callOp({ map, key }: ActorRoute, request: Request): Promise<Parsed<CallOp>> {
  const json = await readJson(request);
  const asked = json.ok ? callOf(json.value) : json;
  if (!asked.ok) return asked;
  const { commandId = crypto.randomUUID(), ...rest } = asked.value;
  return ok({ type: "call", map, key, commandId, ...rest });
}
