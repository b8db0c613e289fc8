/** Commands for actors, as lists: a client's, and those that nodes pass on. */
import {
  elementProblem,
  integerProblem,
  isProblem,
  keyProblem,
  listProblem,
  malformed,
  mapProblem,
  type Problem,
} from "./checks.ts";
import { commandIdProblem, packClientCall, versionProblem } from "./client-calls.ts";
import type { ClientCall } from "./client-messages.ts";
import { isElement, isKey, isMap } from "./guards.ts";
import { CALL_DEPTH_MAX, ENTRIES_MAX } from "./limits.ts";
import type { ActorOp, CallOp, EventsOp } from "./ops.ts";
import type { Layout } from "./layout.ts";
import { opTagProblem, OP_TAGS } from "./packed-set-ops.ts";
import { diagnose } from "./packed.ts";

const isCommandId = (id: unknown): id is string | null => !isProblem(commandIdProblem(id));
const isVersion = (version: unknown): version is number | null =>
  !isProblem(versionProblem(version));

export const CLIENT_CALL_LAYOUT: Layout = {
  map: mapProblem,
  key: keyProblem,
  commandId: commandIdProblem,
  expectedVersion: versionProblem,
  command: elementProblem,
};

const isOf = (of: unknown): boolean =>
  Array.isArray(of) && of.length === 2 && isMap(of[0]) && isKey(of[1]);

export const CALL_LAYOUT: Layout = {
  tag: opTagProblem,
  ...CLIENT_CALL_LAYOUT,
  via: (via) =>
    listProblem(via, 0, CALL_DEPTH_MAX) ??
    (Array.isArray(via) && via.every(isOf) ? null : malformed("a list of [map, key]")),
};

export const EVENTS_LAYOUT: Layout = {
  tag: opTagProblem,
  map: mapProblem,
  key: keyProblem,
  from: (from) => integerProblem(from, 1, Number.MAX_SAFE_INTEGER),
  limit: (limit) => integerProblem(limit, 1, ENTRIES_MAX),
};

export function packActorOp(op: ActorOp): unknown[] {
  if (op.type === "call") return packCall(op);
  return [OP_TAGS.events, op.map, op.key, op.from, op.limit];
}

export const unpackActorOp = (wire: readonly unknown[]): ActorOp | Problem =>
  wire[0] === OP_TAGS.call ? unpackCall(wire) : unpackEvents(wire);

function unpackEvents(wire: readonly unknown[]): EventsOp | Problem {
  const [, map, key, from, limit] = wire;
  const right = wire.length === 5 && isMap(map) && isKey(key) && isFrom(from);
  return right && isLimit(limit)
    ? { type: "events", map, key, from, limit }
    : diagnose(wire, EVENTS_LAYOUT);
}

const isFrom = (from: unknown): from is number => !EVENTS_LAYOUT["from"]?.(from);
const isLimit = (limit: unknown): limit is number => !EVENTS_LAYOUT["limit"]?.(limit);

const packCall = (op: CallOp): unknown[] => [
  OP_TAGS.call,
  ...packClientCall(op),
  (op.via ?? []).map(({ map, key }) => [map, key]),
];

export function unpackClientCall(wire: unknown): ClientCall | Problem {
  const call = Array.isArray(wire) ? callOf(wire) : null;
  return call ?? diagnose(wire, CLIENT_CALL_LAYOUT);
}

function unpackCall(wire: readonly unknown[]): CallOp | Problem {
  const call = callOf(wire.slice(1, -1));
  const via = wire.at(-1);
  if (!call || !isVia(via)) return diagnose(wire, CALL_LAYOUT);
  if (via.length === 0) return { type: "call", ...call };
  return { type: "call", ...call, via: via.map(([map, key]) => ({ map, key })) };
}

const isVia = (via: unknown): via is readonly (readonly [map: string, key: string])[] =>
  !CALL_LAYOUT["via"]?.(via);

function callOf(wire: readonly unknown[]): ClientCall | null {
  const [map, key, commandId, expectedVersion, command] = wire;
  const right = wire.length === 5 && isMap(map) && isKey(key) && isCommandId(commandId);
  return right && isVersion(expectedVersion) && isElement(command)
    ? { map, key, commandId, expectedVersion, command }
    : null;
}
