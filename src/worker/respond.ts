/** From request to response: who may ask, what is asked, what came of it. Never throws. */
import type { Env } from "../objects/env.ts";
import { makeError } from "../protocol/errors.ts";
import { actors } from "./actors.ts";
import { entries } from "./entries.ts";
import { faults } from "./faults.ts";
import { Front } from "./front.ts";
import { operate } from "./operate.ts";
import { errorReply } from "./replies.ts";
import { sets } from "./sets.ts";
import { clusterOf, pinnedOf, routeOf } from "./routes.ts";

const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

export async function respond(request: Request, env: Env): Promise<Response> {
  try {
    return refuseStrangers(request) ?? (await serve(request, env));
  } catch (error) {
    return errorReply(makeError("INTERNAL", { reason: String(error) }));
  }
}

/** Also a page of another origin: a browser lets it ask loopback, and open sockets there. */
function refuseStrangers({ url, headers }: Request): Response | null {
  const origin = headers.get("origin");
  for (const address of origin === null ? [url] : [url, origin]) {
    const host = URL.canParse(address) ? new URL(address).hostname : address;
    if (LOOPBACK.has(host)) continue;
    const error = makeError("INSECURE", { host });
    const message = `${error.message}; set the secret GODWIT_SECRET once this version reads it`;
    return errorReply({ ...error, message });
  }
  return null;
}

async function serve(request: Request, env: Env): Promise<Response> {
  const url = new URL(request.url);
  const ordered = await faults(request, url, env);
  if (ordered) return ordered;
  const route = routeOf(request.method, url);
  if (!route.ok) return errorReply(route.error);
  const cluster = clusterOf(url);
  if (!cluster.ok) return errorReply(cluster.error);
  const pinned = pinnedOf(request.headers);
  if (!pinned.ok) return errorReply(pinned.error);
  const front = new Front(env, cluster.value);
  switch (route.value.type) {
    case "get":
    case "put":
    case "delete":
    case "batch":
    case "scan":
      return entries(front, route.value, { request, pinned: pinned.value });
    case "add":
    case "remove":
    case "members":
    case "count":
    case "total":
      return sets(front, route.value, { request, pinned: pinned.value });
    case "call":
    case "events":
      return actors(front, route.value, { request, pinned: pinned.value });
    default:
      return operate(front, route.value, request);
  }
}
