import * as v from "./shapes.ts";
import type {
  Cede,
  Ceded,
  MergeCluster,
  Merged,
  MergeRequest,
  MergeResponse,
  MergeStarted,
  SplitBrainProbe,
  SplitBrainProbeResponse,
} from "./cluster-messages.ts";
import { declared } from "./declared.ts";
import { PARTITION_COUNT_MAX } from "./limits.ts";
import { count, nodeId, partitionCount, partitionId, version } from "./schema.ts";
import { list } from "./shapes.ts";
import { clusterId, epoch, members, taken } from "./schema-shared.ts";
import { errorInfo } from "./schema-told.ts";

const masterId = v.nullable(nodeId);
const masterJoinVersion = v.nullable(version);
const takesIn = v.exactOptional(v.literal(true));

export const mergeSchemas = {
  MERGE_CLUSTER: declared<MergeCluster>()(
    v.object({ type: v.literal("MERGE_CLUSTER"), clusterId }),
  ),
  MERGE_STARTED: declared<MergeStarted>()(
    v.object({ type: v.literal("MERGE_STARTED"), winner: clusterId, loser: clusterId }),
  ),
  SPLIT_BRAIN_PROBE: declared<SplitBrainProbe>()(
    v.object({
      type: v.literal("SPLIT_BRAIN_PROBE"),
      receiverClusterId: clusterId,
      senderClusterId: clusterId,
      senderMasterId: masterId,
      senderMemberCount: count(),
      senderViewVersion: version,
      senderMasterJoinVersion: masterJoinVersion,
      partitionCount,
      takesIn,
    }),
  ),
  SPLIT_BRAIN_PROBE_RESPONSE: declared<SplitBrainProbeResponse>()(
    v.object({
      type: v.literal("SPLIT_BRAIN_PROBE_RESPONSE"),
      responderClusterId: clusterId,
      responderMasterId: masterId,
      responderMemberCount: count(),
      responderViewVersion: version,
      responderMasterJoinVersion: masterJoinVersion,
      partitionCount,
      error: v.exactOptional(errorInfo),
      takesIn,
    }),
  ),
  MERGE_REQUEST: declared<MergeRequest>()(
    v.object({
      type: v.literal("MERGE_REQUEST"),
      sourceClusterId: clusterId,
      sourceMembers: members,
      sourceViewVersion: version,
      partitionCount,
      taken,
    }),
  ),
  MERGE_RESPONSE: declared<MergeResponse>()(
    v.object({
      type: v.literal("MERGE_RESPONSE"),
      responderClusterId: clusterId,
      sourceViewVersion: version,
      accepted: v.boolean(),
      error: v.exactOptional(errorInfo),
    }),
  ),
  MERGED: declared<Merged>()(v.object({ type: v.literal("MERGED"), sourceClusterId: clusterId })),
  CEDE: declared<Cede>()(v.object({ type: v.literal("CEDE"), into: clusterId, over: v.boolean() })),
  CEDED: declared<Ceded>()(
    v.object({
      type: v.literal("CEDED"),
      nodeId,
      over: v.boolean(),
      partitions: list(v.object({ partitionId, epoch }), PARTITION_COUNT_MAX),
    }),
  ),
};
