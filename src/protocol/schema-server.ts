/** One schema per message of a node's to its clients, likewise complete. */
import * as v from "./shapes.ts";
import type {
  Ack,
  ErrorMessage,
  MapDeltaMessage,
  MapMessage,
  NotOwnerNotice,
  Told,
  Values,
  Welcome,
} from "./client-messages.ts";
import { declared } from "./declared.ts";
import { FRAME_OPS_MAX, MAP_HISTORY_MAX } from "./limits.ts";
import { exceptions, readResults } from "./packed-results.ts";
import { clientId, count, integer, moment, nodeId, partitionId, version } from "./schema.ts";
import { list, type Schema } from "./shapes.ts";
import { errorInfo, mapNodes, mapPartitions, partitionMap } from "./schema-told.ts";

/** What every client hears. */
export const TOLD_SCHEMAS: {
  readonly [Type in Told["type"]]: Schema<Extract<Told, { type: Type }>>;
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
      exceptions,
    }),
  ),
  VALUES: declared<Values>()(
    v.object({
      type: v.literal("VALUES"),
      seq: count(),
      values: readResults,
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
