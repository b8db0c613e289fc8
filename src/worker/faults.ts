/** `/v1/faults/:object`: where tests order faults. Without the binding there is no such path. */
import * as v from "valibot";
import { nodeName } from "../objects/door.ts";
import type { Env } from "../objects/env.ts";
import type { Fault, FaultOrders } from "../objects/faults.ts";
import { NodeId } from "../data/ids.ts";
import { err, ok } from "../data/result.ts";
import { checkNodeId, malformed } from "../protocol/checks.ts";
import { readFields } from "./bodies.ts";
import { errorReply, reply } from "./replies.ts";
import { clusterOf, type Parsed } from "./routes.ts";

/** Null: it is not for us. PUT replaces all that was ordered, GET shows it, DELETE kills. */
export async function faults(request: Request, url: URL, env: Env): Promise<Response | null> {
  const [, name] = /^\/v1\/faults\/([^/]+)$/.exec(url.pathname) ?? [];
  if (env.GODWIT_FAULTS !== "1" || name === undefined) return null;
  const cluster = clusterOf(url);
  if (!cluster.ok) return errorReply(cluster.error);
  const problem = name === "coordinator" ? null : checkNodeId(name);
  if (problem) return errorReply(problem);
  const object =
    name === "coordinator"
      ? env.COORDINATOR.getByName(cluster.value)
      : env.NODES.getByName(nodeName(cluster.value, NodeId(name)));
  if (request.method === "DELETE") {
    await object.kill().catch(() => {}); // it dies of it
    return reply({ killed: name });
  }
  const orders = request.method === "GET" ? ok(null) : ordersOf(await readFields(request));
  return orders.ok ? reply(await object.faults(orders.value)) : errorReply(orders.error);
}

const FAULT = v.strictObject({
  peer: v.custom<Fault["peer"]>((peer) => typeof peer === "string" && isPeer(peer)),
  direction: v.optional(v.picklist(["in", "out", "both"]), "both"),
  what: v.optional(v.picklist(["cut", "drop", "delay"]), "cut"),
  chance: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1)), 1),
  ms: v.optional(v.pipe(v.number(), v.minValue(0)), 0),
});

/** Nothing named: nothing goes wrong any more. */
const ORDERS = v.strictObject({
  faults: v.optional(v.array(FAULT), []),
  paused: v.optional(v.boolean(), false),
  timeless: v.optional(v.boolean(), false),
  keep: v.optional(v.boolean(), false),
});

const isPeer = (name: string): boolean =>
  ["coordinator", "front", "@clients", "*"].includes(name) || !checkNodeId(name);

function ordersOf(json: Parsed<unknown>): Parsed<FaultOrders> {
  if (!json.ok) return json;
  const parsed = v.safeParse(ORDERS, json.value);
  if (parsed.success) return ok(parsed.output);
  const [{ message: expected, path = [] }] = parsed.issues;
  return err(malformed(expected)(path.map(({ key }) => String(key)).join(".") || "body"));
}
