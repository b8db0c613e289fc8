/** One fixed message of each kind that a node says to its clients. */
import { NodeId, PartitionId, Version } from "../../src/data/ids.ts";
import type { PartitionMapPayload } from "../../src/data/members.ts";
import type { ServerMessage } from "../../src/protocol/client-messages.ts";
import { makeError } from "../../src/protocol/errors.ts";
import { subscribedSamples } from "./subscription-messages.ts";

const N1 = NodeId("n1");
const N2 = NodeId("n2");
const P3 = PartitionId(3);
const stamp = { millis: 1_700_000_000_000, counter: 2, node: "n1.1" };
const value = Uint8Array.of(1, 2, 3);

const map: PartitionMapPayload = {
  version: Version(9),
  viewVersion: Version(4),
  partitionCount: 271,
  nodes: [{ nodeId: N1, endpoints: { websocket: "/v1/ws?node=n1" }, status: "ACTIVE" }],
  partitions: [{ partitionId: P3, ownerNodeId: N1, backupNodeIds: [N2] }],
  generatedAt: 1_700_000_000_000,
};

export const server = {
  welcome: {
    type: "WELCOME",
    version: 1,
    clientId: "c-1",
    nodeId: N1,
    forward: true,
    nowMs: 1_700_000_000_000,
    creditFrames: 64,
    creditOps: 16_000,
    creditBytes: 1_048_576,
    map,
  },
  ack: {
    type: "ACK",
    seq: 1,
    exceptions: [
      { index: 0, result: { type: "superseded", stamp } },
      {
        index: 1,
        result: {
          type: "refused",
          error: makeError("CLOCK_DRIFT", { aheadMs: 70_000, aheadMsMax: 60_000 }),
        },
      },
    ],
  },
  values: {
    type: "VALUES",
    seq: 2,
    values: [
      { type: "value", value, stamp },
      { type: "value", value: null, stamp: null },
    ],
  },
  replies: {
    type: "REPLIES",
    seq: 6,
    replies: [
      { type: "reply", version: 5, value },
      { type: "refused", error: makeError("NOT_OWNER", { partitionId: 3, ownerNodeId: "n2" }) },
    ],
  },
  map: { type: "MAP", map },
  "map delta": {
    type: "MAP_DELTA",
    from: Version(7),
    to: Version(9),
    fromView: Version(3),
    toView: Version(4),
    partitions: map.partitions,
    nodes: map.nodes,
    removedNodeIds: [N2],
    generatedAt: 1_700_000_000_000,
  },
  "not owner": {
    type: "NOT_OWNER",
    seq: 1,
    indexes: [1],
    applied: false,
    owners: [{ partitionId: P3, ownerNodeId: N2 }],
    mapVersion: Version(9),
    map,
  },
  error: { type: "ERROR", seq: null, error: makeError("HELLO_EXPECTED", { got: "OPS" }) },
  ...subscribedSamples,
} satisfies Record<string, ServerMessage>;
