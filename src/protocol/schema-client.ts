/** One schema per client and server message, complete: a message without one does not compile. */
import * as v from "valibot";
import type {
  Ack,
  ClientMessage,
  ErrorMessage,
  FetchMap,
  Get,
  Hello,
  MapDeltaMessage,
  MapMessage,
  NotOwnerNotice,
  Ops,
  Received,
  ServerMessage,
  Values,
  Welcome,
} from "./client-messages.ts";
import { declared } from "./declared.ts";
import { FRAME_OPS_MAX, MAP_HISTORY_MAX } from "./limits.ts";
import { CLIENT_OP_LAYOUT, KEY_LAYOUT, unpackClientOps, unpackKeys } from "./packed-ops.ts";
import {
  EXCEPTION_LAYOUT,
  RESULT_LAYOUTS,
  unpackExceptions,
  unpackReadResults,
} from "./packed-results.ts";
import { describe } from "./packed.ts";
import {
  clientId,
  clusterId,
  count,
  integer,
  list,
  moment,
  nodeId,
  packed,
  partitionId,
  version,
  type Schema,
} from "./schema.ts";
import { ackLevel, errorInfo, mapNodes, mapPartitions, partitionMap } from "./schema-shared.ts";

const { refused, value, stampedValue } = RESULT_LAYOUTS;

export const CLIENT_SCHEMAS: {
  readonly [Type in ClientMessage["type"]]: Schema<Extract<ClientMessage, { type: Type }>>;
} = {
  HELLO: declared<Hello>()(
    v.object({
      type: v.literal("HELLO"),
      version: count(),
      cluster: clusterId,
      clientId: v.exactOptional(clientId),
      forward: v.boolean(),
      received: v.exactOptional(count()),
    }),
  ),
  OPS: declared<Ops>()(
    v.object({
      type: v.literal("OPS"),
      seq: count(),
      ops: packed(`list of ${describe(CLIENT_OP_LAYOUT)}`, unpackClientOps),
      ack: v.exactOptional(ackLevel),
      received: v.exactOptional(count()),
    }),
  ),
  GET: declared<Get>()(
    v.object({
      type: v.literal("GET"),
      seq: count(),
      keys: packed(`list of ${describe(KEY_LAYOUT)}`, unpackKeys),
      received: v.exactOptional(count()),
    }),
  ),
  FETCH_MAP: declared<FetchMap>()(
    v.object({
      type: v.literal("FETCH_MAP"),
      version: v.exactOptional(version),
      viewVersion: v.exactOptional(version),
      received: v.exactOptional(count()),
    }),
  ),
  RECEIVED: declared<Received>()(v.object({ type: v.literal("RECEIVED"), received: count() })),
};

export const SERVER_SCHEMAS: {
  readonly [Type in ServerMessage["type"]]: Schema<Extract<ServerMessage, { type: Type }>>;
} = {
  WELCOME: declared<Welcome>()(
    v.object({
      type: v.literal("WELCOME"),
      version: count(),
      clientId,
      nodeId,
      forward: v.boolean(),
      nowMs: moment,
      creditFrames: count(),
      creditOps: count(),
      creditBytes: count(),
      map: partitionMap,
    }),
  ),
  ACK: declared<Ack>()(
    v.object({
      type: v.literal("ACK"),
      seq: count(),
      exceptions: packed(`list of ${describe(EXCEPTION_LAYOUT)}`, unpackExceptions),
    }),
  ),
  VALUES: declared<Values>()(
    v.object({
      type: v.literal("VALUES"),
      seq: count(),
      values: packed(
        `list of ${[refused, value, stampedValue].map(describe).join(" or ")}`,
        unpackReadResults,
      ),
    }),
  ),
  MAP: declared<MapMessage>()(v.object({ type: v.literal("MAP"), map: partitionMap })),
  MAP_DELTA: declared<MapDeltaMessage>()(
    v.object({
      type: v.literal("MAP_DELTA"),
      from: version,
      to: version,
      fromView: version,
      toView: version,
      partitions: mapPartitions,
      nodes: mapNodes,
      removedNodeIds: list(nodeId, MAP_HISTORY_MAX),
      generatedAt: moment,
    }),
  ),
  NOT_OWNER: declared<NotOwnerNotice>()(
    v.object({
      type: v.literal("NOT_OWNER"),
      seq: count(),
      indexes: list(integer(0, FRAME_OPS_MAX - 1), FRAME_OPS_MAX),
      applied: v.boolean(),
      owners: list(v.object({ partitionId, ownerNodeId: v.nullable(nodeId) }), FRAME_OPS_MAX),
      mapVersion: version,
      map: v.exactOptional(partitionMap),
    }),
  ),
  ERROR: declared<ErrorMessage>()(
    v.object({ type: v.literal("ERROR"), seq: v.nullable(count()), error: errorInfo }),
  ),
};
