/** An arbitrary for every message that tells clients of the map. */
import fc from "fast-check";
import type { ServerMessage } from "../../src/protocol/client-messages.ts";
import * as a from "./arbitraries.ts";
import { of } from "./message-of.ts";

type Server<Type extends ServerMessage["type"]> = Extract<ServerMessage, { type: Type }>;

const { count, nodeId, partitionId, version } = a;
const index = fc.nat(999);

export const mapMessages = {
  MAP: of<Server<"MAP">>()("MAP", { map: a.partitionMap }),
  MAP_DELTA: of<Server<"MAP_DELTA">>()("MAP_DELTA", {
    from: version,
    to: version,
    fromView: version,
    toView: version,
    partitions: a.mapPartitions,
    nodes: a.mapNodes,
    removedNodeIds: a.list(nodeId),
    generatedAt: a.moment,
  }),
  NOT_OWNER: of<Server<"NOT_OWNER">>()(
    "NOT_OWNER",
    {
      seq: count,
      indexes: a.list(index),
      applied: fc.boolean(),
      owners: a.list(fc.record({ partitionId, ownerNodeId: fc.option(nodeId) })),
      mapVersion: version,
      map: a.partitionMap,
    },
    ["map"],
  ),
};
