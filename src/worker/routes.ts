/** What a request asks for, read from method, path and query alone; its body is not looked at here. */
import { ClusterId, NodeId, PartitionId } from "../data/ids.ts";
import { err, ok, type Result } from "../data/result.ts";
import type { Of } from "../data/row.ts";
import {
  checkKey,
  checkNodeId,
  integerProblem,
  keyProblem,
  malformed,
  mapProblem,
} from "../protocol/checks.ts";
import { isHash } from "../protocol/guards.ts";
import { makeError, type ErrorInfo } from "../protocol/errors.ts";
import {
  ENTRIES_DEFAULT,
  ENTRIES_MAX,
  MEMBERS_MAX,
  NAME_PATTERN,
  PARTITION_COUNT_MAX,
  SCAN_LIMIT_DEFAULT,
  SCAN_LIMIT_MAX,
  SET_LIMIT_MAX,
  TTL_MS_MAX,
} from "../protocol/limits.ts";
import type { AckLevel } from "../protocol/ops.ts";
import { decodeCursor, type Cursor } from "./cursor.ts";

export type Route =
  | (Of & { readonly type: "get" })
  | (Of & { readonly type: "delete"; readonly ack: AckLevel })
  | (Of & { readonly type: "put"; readonly ttlMs: number | null; readonly ack: AckLevel })
  | { readonly type: "batch"; readonly map: string; readonly ack: AckLevel }
  | SetRoute
  | ActorRoute
  | ScanRoute
  /** What the caller has; null: it does not say. */
  | { readonly type: "map"; readonly version: number | null; readonly viewVersion: number | null }
  | { readonly type: "cluster" | "add-nodes" | "move" | "migrations" | "rebalance" | "merge" }
  | { readonly type: "repair" | "last-repair" }
  | { readonly type: "remove-node" | "evict" | "drain"; readonly nodeId: NodeId }
  | { readonly type: "claim"; readonly partitionId: PartitionId }
  | { readonly type: "cancel"; readonly partitionId: PartitionId }
  | { readonly type: "socket"; readonly nodeId: NodeId | null };

/** Of an actor: its type, and its id. */
export type ActorRoute =
  | (Of & { readonly type: "call" })
  | (Of & { readonly type: "events"; readonly from: number; readonly limit: number });

/** Of a set or a counter. */
export type SetRoute =
  | (Of & { readonly type: "add"; readonly ttlMs: number | null; readonly ack: AckLevel })
  | (Of & { readonly type: "remove"; readonly ack: AckLevel })
  | (Of & { readonly type: "members"; readonly limit: number; readonly after: string | null })
  | (Of & { readonly type: "count"; readonly ack: AckLevel })
  | (Of & { readonly type: "total" });

export interface ScanRoute {
  readonly type: "scan";
  readonly map: string;
  readonly prefix: string;
  readonly limit: number;
  readonly cursor: Cursor | null;
}

export type Parsed<T> = Result<T, ErrorInfo>;

interface Asked {
  readonly method: string;
  readonly path: string;
  /** Decoded, without the leading `v1`. */
  readonly rest: readonly string[];
  readonly query: URLSearchParams;
}

type Handlers = Readonly<Record<string, () => Parsed<Route>>>;

export function routeOf(method: string, url: URL): Parsed<Route> {
  const segments: string[] = [];
  for (const segment of url.pathname.split("/").slice(1)) {
    const decoded = decodePercent(segment);
    if (decoded === null) return err(notUtf8("path"));
    segments.push(decoded);
  }
  const [first, ...rest] = segments;
  const asked = { method, path: url.pathname, rest, query: url.searchParams };
  if (first !== "v1" || badQuery(url.search)) return err(notFoundOrText(first, asked));
  return choose(asked, handlersFor(asked));
}

function notFoundOrText(first: string | undefined, { path }: Asked): ErrorInfo {
  return first === "v1" ? notUtf8("query") : makeError("ROUTE_NOT_FOUND", { path });
}

/** `URLSearchParams` would put U+FFFD for what is not UTF-8: another key than was meant. */
const badQuery = (search: string): boolean => decodePercent(search) === null;

export function clusterOf(url: URL): Parsed<ClusterId> {
  const name = url.searchParams.get("cluster") ?? "main";
  return NAME_PATTERN.test(name)
    ? ok(ClusterId(name))
    : err(malformed("1 to 32 of a-z 0-9 -")("cluster"));
}

/** The map version by which the caller has routed, if it insists on it. */
export function pinnedOf(headers: Headers): Parsed<number | null> {
  return integer(headers.get("x-godwit-map-version"), "x-godwit-map-version", VERSION);
}

function choose({ method, path }: Asked, handlers: Handlers | null): Parsed<Route> {
  if (!handlers) return err(makeError("ROUTE_NOT_FOUND", { path }));
  const handler = Object.hasOwn(handlers, method) ? handlers[method] : undefined;
  if (handler) return handler();
  const allowed = Object.keys(handlers).join(", ");
  return err(makeError("METHOD_NOT_ALLOWED", { method, allowed }));
}

/** By method; null where there is nothing at all. */
function handlersFor(asked: Asked): Handlers | null {
  const [what, ...rest] = asked.rest;
  switch (what) {
    case "maps":
      return mapHandlers(asked, rest);
    case "sets":
      return setHandlers(asked, rest);
    case "counters":
      return counterHandlers(asked, rest);
    case "actors":
      return actorHandlers(asked, rest);
    case "map":
      return rest.length === 0 ? { GET: () => mapRoute(asked) } : null;
    case "ws":
      return rest.length === 0 ? { GET: () => socketRoute(asked) } : null;
    case "cluster":
      return clusterHandlers(asked, rest);
    default:
      return null;
  }
}

function mapHandlers({ query }: Asked, path: readonly string[]): Handlers | null {
  const [map, key] = path;
  if (map === undefined || key !== undefined)
    return handlersOf(path, (of) => ({
      GET: () => ok({ type: "get", ...of }),
      PUT: () => withTtl("put", of, query),
      DELETE: () => withAck(query, (ack) => ok({ type: "delete", ...of, ack })),
    }));
  return checked(mapProblem(map)?.("map") ?? null, {
    GET: () => scanRoute(map, query),
    POST: () => withAck(query, (ack) => ok({ type: "batch", map, ack })),
  });
}

const setHandlers = ({ query }: Asked, path: readonly string[]): Handlers | null =>
  handlersOf(path, (of) => ({
    GET: () => membersRoute(of, query),
    POST: () => withTtl("add", of, query),
    DELETE: () => withAck(query, (ack) => ok({ type: "remove", ...of, ack })),
  }));

const counterHandlers = ({ query }: Asked, path: readonly string[]): Handlers | null =>
  handlersOf(path, (of) => ({
    GET: () => ok({ type: "total", ...of }),
    POST: () => withAck(query, (ack) => ok({ type: "count", ...of, ack })),
  }));

function actorHandlers({ query }: Asked, path: readonly string[]): Handlers | null {
  const [actorType, id, what, ...more] = path;
  if (what === undefined)
    return handlersOf(path, (of) => ({ POST: () => ok({ type: "call", ...of }) }));
  if (what !== "events" || more.length > 0) return null;
  return handlersOf([actorType ?? "", id ?? ""], (of) => ({ GET: () => eventsRoute(of, query) }));
}

function eventsRoute(of: Of, query: URLSearchParams): Parsed<Route> {
  const from = integer(query.get("from"), "from", { min: 1, max: Number.MAX_SAFE_INTEGER });
  if (!from.ok) return from;
  const limit = integer(query.get("limit"), "limit", { min: 1, max: ENTRIES_MAX });
  if (!limit.ok) return limit;
  const [first, most] = [from.value ?? 1, limit.value ?? ENTRIES_DEFAULT];
  return ok({ type: "events", ...of, from: first, limit: most });
}

/** Of one entry, set or counter. */
function handlersOf(
  [map, key, ...more]: readonly string[],
  handlers: (of: Of) => Handlers,
): Handlers | null {
  if (map === undefined || key === undefined || more.length > 0) return null;
  return checked(checkKey(map, key), handlers({ map, key }));
}

/** Each method names the problem; a method that there is not is refused for that, problem or none. */
function checked(problem: ErrorInfo | null, handlers: Handlers): Handlers {
  if (!problem) return handlers;
  return Object.fromEntries(Object.keys(handlers).map((method) => [method, () => err(problem)]));
}

function membersRoute(of: Of, query: URLSearchParams): Parsed<Route> {
  const limit = integer(query.get("limit"), "limit", { min: 1, max: SET_LIMIT_MAX });
  if (!limit.ok) return limit;
  const after = query.get("cursor");
  if (!isHash(after)) return err(makeError("BAD_CURSOR", { field: "cursor" }));
  return ok({ type: "members", ...of, limit: limit.value ?? MEMBERS_MAX, after });
}

/** When a write is to be answered: left out, when its owner has it. */
function withAck(query: URLSearchParams, route: (ack: AckLevel) => Parsed<Route>): Parsed<Route> {
  const ack = query.get("ack") ?? "owner";
  if (ack === "owner" || ack === "backup") return route(ack);
  return err(malformed("owner or backup")("ack"));
}

function withTtl(type: "put" | "add", of: Of, query: URLSearchParams): Parsed<Route> {
  const ttl = integer(query.get("ttl"), "ttl", { min: 1, max: TTL_MS_MAX });
  if (!ttl.ok) return ttl;
  return withAck(query, (ack) => ok({ type, ...of, ttlMs: ttl.value, ack }));
}

function scanRoute(map: string, query: URLSearchParams): Parsed<Route> {
  const prefix = query.get("prefix") ?? "";
  const problem = keyProblem(prefix)?.("prefix");
  if (problem) return err(problem);
  const limit = integer(query.get("limit"), "limit", { min: 1, max: SCAN_LIMIT_MAX });
  if (!limit.ok) return limit;
  const text = query.get("cursor");
  const cursor = text === null ? null : decodeCursor(text);
  if (text !== null && !cursor) return err(makeError("BAD_CURSOR", { field: "cursor" }));
  return ok({ type: "scan", map, prefix, limit: limit.value ?? SCAN_LIMIT_DEFAULT, cursor });
}

function mapRoute({ query }: Asked): Parsed<Route> {
  const version = integer(query.get("version"), "version", VERSION);
  if (!version.ok) return version;
  const viewVersion = integer(query.get("viewVersion"), "viewVersion", VERSION);
  if (!viewVersion.ok) return viewVersion;
  return ok({ type: "map", version: version.value, viewVersion: viewVersion.value });
}

function socketRoute({ query }: Asked): Parsed<Route> {
  const id = query.get("node");
  if (id === null) return ok({ type: "socket", nodeId: null });
  const problem = checkNodeId(id);
  return problem ? err(problem) : ok({ type: "socket", nodeId: NodeId(id) });
}

function clusterHandlers(
  asked: Asked,
  [what, id, verb, ...more]: readonly string[],
): Handlers | null {
  if (what === undefined) return { GET: () => ok({ type: "cluster" }) };
  if (more.length > 0) return null;
  const order = id === undefined ? orderHandlers(what) : null;
  if (order) return order;
  if (what === "nodes") return nodeHandlers(asked, id, verb);
  if (what === "partitions" && id !== undefined && verb === "claim")
    return { POST: () => partitionRoute("claim", id) };
  if (what !== "migrations" || verb !== undefined) return null;
  return id === undefined
    ? { GET: () => ok({ type: "migrations" }), POST: () => ok({ type: "move" }) }
    : { DELETE: () => partitionRoute("cancel", id) };
}

function orderHandlers(what: string): Handlers | null {
  if (isOrder(what)) return { POST: () => ok({ type: what }) };
  if (what !== "repair") return null;
  return { GET: () => ok({ type: "last-repair" }), POST: () => ok({ type: "repair" }) };
}

/** Posted as it is, whatever it needs in its body. */
const isOrder = (what: string): what is "rebalance" | "merge" =>
  what === "rebalance" || what === "merge";

function nodeHandlers({ query }: Asked, id?: string, verb?: string): Handlers | null {
  if (id === undefined) return { POST: () => ok({ type: "add-nodes" }) };
  const named = (type: "remove-node" | "evict" | "drain") => (): Parsed<Route> => {
    const problem = checkNodeId(id);
    return problem ? err(problem) : ok({ type, nodeId: NodeId(id) });
  };
  if (verb === "drain") return { POST: named("drain") };
  const force = query.get("force") ?? "false";
  if (force !== "true" && force !== "false")
    return verb === undefined ? { DELETE: () => err(malformed("true or false")("force")) } : null;
  // Taken for an ordinary leave it would wait for a node that is lost.
  const remove = named(force === "true" ? "evict" : "remove-node");
  return verb === undefined ? { DELETE: remove } : null;
}

function partitionRoute(type: "cancel" | "claim", text: string): Parsed<Route> {
  const id = integer(text, "partition", { min: 0, max: PARTITION_COUNT_MAX - 1 });
  return id.ok ? ok({ type, partitionId: PartitionId(id.value ?? 0) }) : id;
}

const VERSION = { min: 0, max: Number.MAX_SAFE_INTEGER };

/** null where there is none. */
function integer(
  text: string | null,
  field: string,
  { min, max }: { readonly min: number; readonly max: number },
): Parsed<number | null> {
  if (text === null) return ok(null);
  if (!/^-?\d+$/.test(text)) return err(malformed("an integer")(field));
  const problem = integerProblem(Number(text), min, max)?.(field);
  return problem ? err(problem) : ok(Number(text));
}

function decodePercent(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

const notUtf8 = (field: string): ErrorInfo =>
  makeError("BAD_TEXT", { field, expected: "percent-encoded UTF-8" });
