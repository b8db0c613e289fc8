/** An arbitrary for every message by which two clusters become one. */
import fc from "fast-check";
import type { MergeMessage } from "../../src/protocol/merge-messages.ts";
import * as a from "./arbitraries.ts";
import { of } from "./message-of.ts";

type Of<Type extends MergeMessage["type"]> = Extract<MergeMessage, { type: Type }>;

const { clusterId, count, epoch, nodeId, partitionCount, partitionId, version } = a;
const masterId = fc.option(nodeId);
const masterJoinVersion = fc.option(version);

export const mergeMessages: {
  readonly [Type in MergeMessage["type"]]: fc.Arbitrary<Of<Type>>;
} = {
  MERGE_CLUSTER: of<Of<"MERGE_CLUSTER">>()("MERGE_CLUSTER", { clusterId }),
  MERGE_STARTED: of<Of<"MERGE_STARTED">>()("MERGE_STARTED", {
    winner: clusterId,
    loser: clusterId,
  }),
  SPLIT_BRAIN_PROBE: of<Of<"SPLIT_BRAIN_PROBE">>()(
    "SPLIT_BRAIN_PROBE",
    {
      receiverClusterId: clusterId,
      senderClusterId: clusterId,
      senderMasterId: masterId,
      senderMemberCount: count,
      senderViewVersion: version,
      senderMasterJoinVersion: masterJoinVersion,
      partitionCount,
      takesIn: fc.constant(true as const),
    },
    ["takesIn"],
  ),
  SPLIT_BRAIN_PROBE_RESPONSE: of<Of<"SPLIT_BRAIN_PROBE_RESPONSE">>()(
    "SPLIT_BRAIN_PROBE_RESPONSE",
    {
      responderClusterId: clusterId,
      responderMasterId: masterId,
      responderMemberCount: count,
      responderViewVersion: version,
      responderMasterJoinVersion: masterJoinVersion,
      partitionCount,
      error: a.errorInfo,
      takesIn: fc.constant(true as const),
    },
    ["error", "takesIn"],
  ),
  MERGE_REQUEST: of<Of<"MERGE_REQUEST">>()("MERGE_REQUEST", {
    sourceClusterId: clusterId,
    sourceMembers: a.members,
    sourceViewVersion: version,
    partitionCount,
    taken: a.list(clusterId),
  }),
  MERGE_RESPONSE: of<Of<"MERGE_RESPONSE">>()(
    "MERGE_RESPONSE",
    {
      responderClusterId: clusterId,
      sourceViewVersion: version,
      accepted: fc.boolean(),
      error: a.errorInfo,
    },
    ["error"],
  ),
  MERGED: of<Of<"MERGED">>()("MERGED", { sourceClusterId: clusterId }),
  CEDE: of<Of<"CEDE">>()("CEDE", { into: clusterId, over: fc.boolean() }),
  CEDED: of<Of<"CEDED">>()("CEDED", {
    nodeId,
    over: fc.boolean(),
    partitions: a.list(fc.record({ partitionId, epoch })),
  }),
};
