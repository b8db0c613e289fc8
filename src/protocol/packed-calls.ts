/** Commands for actors, as lists. */
import {
  elementProblem,
  integerProblem,
  isProblem,
  keyProblem,
  mapProblem,
  textProblem,
  type Problem,
} from "./checks.ts";
import { isElement, isKey, isMap } from "./guards.ts";
import { COMMAND_ID_BYTES_MAX, ENTRIES_MAX } from "./limits.ts";
import type { ActorOp, CallOp, EventsOp } from "./ops.ts";
import type { Layout } from "./layout.ts";
import { opTagProblem, OP_TAGS } from "./packed-set-ops.ts";
import { diagnose } from "./packed.ts";

export const commandIdProblem = (id: unknown): Problem | null =>
  id === null ? null : textProblem(id, 1, COMMAND_ID_BYTES_MAX);

export const versionProblem = (version: unknown): Problem | null =>
  version === null ? null : integerProblem(version, 0, Number.MAX_SAFE_INTEGER);

const isCommandId = (id: unknown): id is string | null => !isProblem(commandIdProblem(id));
const isVersion = (version: unknown): version is number | null =>
  !isProblem(versionProblem(version));

export const CALL_LAYOUT: Layout = {
  tag: opTagProblem,
  map: mapProblem,
  key: keyProblem,
  commandId: commandIdProblem,
  expectedVersion: versionProblem,
  command: elementProblem,
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

const packCall = ({ map, key, commandId, expectedVersion, command }: CallOp): unknown[] => [
  OP_TAGS.call,
  map,
  key,
  commandId,
  expectedVersion,
  command,
];

function unpackCall(wire: readonly unknown[]): CallOp | Problem {
  const [, map, key, commandId, expectedVersion, command] = wire;
  const right = wire.length === 6 && isMap(map) && isKey(key) && isCommandId(commandId);
  return right && isVersion(expectedVersion) && isElement(command)
    ? { type: "call", map, key, commandId, expectedVersion, command }
    : diagnose(wire, CALL_LAYOUT);
}
