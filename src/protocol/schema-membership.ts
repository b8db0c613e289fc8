import * as v from "./shapes.ts";
import type {
  AskRuling,
  Confirm,
  Confirmed,
  FetchPartitionTable,
  Heartbeat,
  Invite,
  JoinRequest,
  JoinResponse,
  LeaveRequest,
  MembersUpdate,
  PartitionTableUpdate,
  RulingMessage,
} from "./cluster-messages.ts";
import { declared } from "./declared.ts";
import { MIGRATIONS_MAX, REASON_BYTES_MAX, TOKEN_BYTES_MAX } from "./limits.ts";
import { count, moment, nodeId, partitionCount, partitionId, text, version } from "./schema.ts";
import { digestKey, partitionIds } from "./schema-digests.ts";
import { list } from "./shapes.ts";
import {
  clusterId,
  epoch,
  host,
  incarnation,
  membersView,
  migrationId,
  nodeIds,
  region,
  ruling,
  rulings,
  weight,
} from "./schema-shared.ts";

const reason = text(0, REASON_BYTES_MAX);

export const membershipSchemas = {
  INVITE: declared<Invite>()(
    v.object({ type: v.literal("INVITE"), clusterId, nodeId, region, weight }),
  ),
  JOIN_REQUEST: declared<JoinRequest>()(
    v.object({
      type: v.literal("JOIN_REQUEST"),
      nodeId,
      host,
      clientPort: count(),
      clusterPort: count(),
      clusterId,
      protocolVersion: count(),
      authToken: v.exactOptional(text(0, TOKEN_BYTES_MAX)),
      incarnation,
    }),
  ),
  JOIN_RESPONSE: declared<JoinResponse>()(
    v.object({
      type: v.literal("JOIN_RESPONSE"),
      accepted: v.boolean(),
      rejectReason: v.exactOptional(
        v.picklist([
          "AUTH_FAILED",
          "WRONG_CLUSTER_ID",
          "PROTOCOL_VERSION_MISMATCH",
          "CLUSTER_FULL",
          "NODE_ID_USED",
          "NOT_LEADING",
        ]),
      ),
      membersView: v.exactOptional(membersView),
      partitionAssignments: v.exactOptional(rulings),
      tableVersion: v.exactOptional(version),
      partitionCount: v.exactOptional(partitionCount),
      digestKey: v.exactOptional(digestKey),
    }),
  ),
  MEMBERS_UPDATE: declared<MembersUpdate>()(
    v.object({ type: v.literal("MEMBERS_UPDATE"), view: membersView, clusterTimeMs: moment }),
  ),
  LEAVE_REQUEST: declared<LeaveRequest>()(
    v.object({
      type: v.literal("LEAVE_REQUEST"),
      nodeId,
      reason: v.exactOptional(reason),
      force: v.exactOptional(v.boolean()),
    }),
  ),
  HEARTBEAT: declared<Heartbeat>()(
    v.object({
      type: v.literal("HEARTBEAT"),
      senderId: nodeId,
      timestampMs: moment,
      incarnation,
      membersViewVersion: version,
      tableVersion: version,
      beat: count(),
      dormant: v.boolean(),
      suspectedNodes: nodeIds,
      // Missing means none: a sender may leave them out.
      importing: v.optional(partitionIds, () => []),
      migrating: v.optional(partitionIds, () => []),
    }),
  ),
};

export const tableSchemas = {
  PARTITION_TABLE_UPDATE: declared<PartitionTableUpdate>()(
    v.object({
      type: v.literal("PARTITION_TABLE_UPDATE"),
      assignments: rulings,
      version,
      baseVersion: version,
      partitionCount,
      completedMigrations: list(migrationId, MIGRATIONS_MAX),
      view: v.exactOptional(membersView),
    }),
  ),
  FETCH_PARTITION_TABLE: declared<FetchPartitionTable>()(
    v.object({ type: v.literal("FETCH_PARTITION_TABLE") }),
  ),
  ASK_RULING: declared<AskRuling>()(v.object({ type: v.literal("ASK_RULING"), partitionId })),
  CONFIRM: declared<Confirm>()(v.object({ type: v.literal("CONFIRM"), partitionId, epoch })),
  CONFIRMED: declared<Confirmed>()(
    v.object({ type: v.literal("CONFIRMED"), partitionId, epoch, sole: v.boolean() }),
  ),
  RULING: declared<RulingMessage>()(v.object({ type: v.literal("RULING"), ruling })),
};
