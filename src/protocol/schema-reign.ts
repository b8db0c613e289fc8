import * as v from "./shapes.ts";
import type {
  Campaign,
  ExplicitSuspicion,
  Grant,
  GrantedPartition,
  HeartbeatComplaint,
  Probe,
} from "./cluster-messages.ts";
import { declared } from "./declared.ts";
import { PARTITION_COUNT_MAX, REASON_BYTES_MAX } from "./limits.ts";
import { nodeId, text, version } from "./schema.ts";
import { list } from "./shapes.ts";
import { clusterId, membersView, ruling, term } from "./schema-shared.ts";

const granted = declared<GrantedPartition>()(
  v.object({ ruling, role: v.picklist(["none", "owner", "copy", "struck"]) }),
);

export const reignSchemas = {
  CAMPAIGN: declared<Campaign>()(
    v.object({ type: v.literal("CAMPAIGN"), term, viewVersion: version }),
  ),
  GRANT: declared<Grant>()(
    v.object({
      type: v.literal("GRANT"),
      nodeId,
      term,
      viewVersion: version,
      tableVersion: version,
      partitions: list(granted, PARTITION_COUNT_MAX),
      view: v.exactOptional(membersView),
      into: v.exactOptional(clusterId),
    }),
  ),
  HEARTBEAT_COMPLAINT: declared<HeartbeatComplaint>()(
    v.object({
      type: v.literal("HEARTBEAT_COMPLAINT"),
      complainerId: nodeId,
      complainerViewVersion: version,
      suspectId: nodeId,
      suspectViewVersion: version,
    }),
  ),
  EXPLICIT_SUSPICION: declared<ExplicitSuspicion>()(
    v.object({
      type: v.literal("EXPLICIT_SUSPICION"),
      suspectId: nodeId,
      reason: text(0, REASON_BYTES_MAX),
      masterViewVersion: version,
    }),
  ),
  PROBE: declared<Probe>()(v.object({ type: v.literal("PROBE") })),
};
