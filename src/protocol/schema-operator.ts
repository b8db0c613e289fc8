import * as v from "./shapes.ts";
import type {
  AddNodes,
  CancelMove,
  ClaimPartition,
  ClusterReport,
  DrainNode,
  FetchCluster,
  FetchMigrations,
  FetchNodeStatus,
  MemberReport,
  MigrationReport,
  MigrationsReport,
  MovePartition,
  NodesAdded,
  NodeStatusReport,
  Planned,
  PlannedMove,
  Rebalance,
} from "./cluster-messages.ts";
import { declared } from "./declared.ts";
import {
  ADD_NODES_COUNT_MAX,
  MIGRATIONS_MAX,
  NODES_MAX,
  REASON_BYTES_MAX,
  WEIGHT_MAX,
  WEIGHT_MIN,
} from "./limits.ts";
import {
  count,
  integer,
  moment,
  nodeId,
  partitionCount,
  partitionId,
  text,
  version,
} from "./schema.ts";
import { partitionIds } from "./schema-digests.ts";
import { leaf, list } from "./shapes.ts";
import { malformed, type Problem } from "./checks.ts";
import {
  clusterId,
  digestIfAny,
  epoch,
  membersView,
  migrationId,
  movePurpose,
  nodeIds,
  nodeState,
  region,
  term,
} from "./schema-shared.ts";
import { errorInfo } from "./schema-told.ts";

const plan = list(
  declared<PlannedMove>()(v.object({ partitionId, source: nodeId, target: nodeId })),
  MIGRATIONS_MAX,
);

/** Not necessarily an integer. */
const rate = leaf<number>("number, 0 or more", (value): Problem | null =>
  typeof value === "number" && value >= 0 && value < Infinity
    ? null
    : malformed("a number, 0 or more"),
);

const migration = declared<MigrationReport>()(
  v.object({
    migrationId: v.nullable(migrationId),
    purpose: movePurpose,
    partitionId,
    source: nodeId,
    target: nodeId,
    epoch,
    phase: v.picklist(["queued", "replicating", "finalizing", "completed", "failed"]),
    attempt: count(),
    startedAtMs: v.nullable(moment),
    durationMs: v.nullable(count()),
    rows: v.nullable(count()),
    bytes: v.nullable(count()),
    digest: v.nullable(digestIfAny),
    outcome: v.nullable(v.picklist(["completed", "cancelled", "failed"])),
    reason: v.nullable(text(0, REASON_BYTES_MAX)),
  }),
);

const migrations = list(migration, MIGRATIONS_MAX);

const memberReport = declared<MemberReport>()(
  v.object({
    nodeId,
    state: nodeState,
    owned: count(),
    backup: count(),
    importing: partitionIds,
    migrating: partitionIds,
    dormant: v.boolean(),
  }),
);

export const operatorSchemas = {
  ADD_NODES: declared<AddNodes>()(
    v.object({
      type: v.literal("ADD_NODES"),
      count: integer(1, ADD_NODES_COUNT_MAX),
      nodeId: v.exactOptional(nodeId),
      region,
      weight: integer(WEIGHT_MIN, WEIGHT_MAX),
    }),
  ),
  NODES_ADDED: declared<NodesAdded>()(
    v.object({ type: v.literal("NODES_ADDED"), nodes: nodeIds, plan }),
  ),
  DRAIN_NODE: declared<DrainNode>()(v.object({ type: v.literal("DRAIN_NODE"), nodeId })),
  MOVE_PARTITION: declared<MovePartition>()(
    v.object({ type: v.literal("MOVE_PARTITION"), partitionId, to: nodeId }),
  ),
  CLAIM_PARTITION: declared<ClaimPartition>()(
    v.object({ type: v.literal("CLAIM_PARTITION"), partitionId, nodeId, epoch }),
  ),
  CANCEL_MOVE: declared<CancelMove>()(v.object({ type: v.literal("CANCEL_MOVE"), partitionId })),
  REBALANCE: declared<Rebalance>()(v.object({ type: v.literal("REBALANCE") })),
  PLANNED: declared<Planned>()(v.object({ type: v.literal("PLANNED"), plan })),
  FETCH_CLUSTER: declared<FetchCluster>()(v.object({ type: v.literal("FETCH_CLUSTER") })),
  CLUSTER_REPORT: declared<ClusterReport>()(
    v.object({
      type: v.literal("CLUSTER_REPORT"),
      term,
      leading: v.boolean(),
      quorum: v.nullable(v.boolean()),
      view: membersView,
      tableVersion: version,
      partitionCount,
      masterNodeId: v.nullable(nodeId),
      members: list(memberReport, NODES_MAX),
      migrations: v.object({
        running: count(),
        queued: count(),
        completed: count(),
        failed: count(),
      }),
      merge: v.exactOptional(
        v.object({
          winner: clusterId,
          loser: clusterId,
          phase: v.picklist(["asking", "ceding", "merged", "failed"]),
          left: v.nullable(count()),
          error: v.exactOptional(errorInfo),
        }),
      ),
    }),
  ),
  FETCH_MIGRATIONS: declared<FetchMigrations>()(v.object({ type: v.literal("FETCH_MIGRATIONS") })),
  MIGRATIONS_REPORT: declared<MigrationsReport>()(
    v.object({
      type: v.literal("MIGRATIONS_REPORT"),
      running: migrations,
      queued: migrations,
      finished: migrations,
    }),
  ),
  FETCH_NODE_STATUS: declared<FetchNodeStatus>()(
    v.object({ type: v.literal("FETCH_NODE_STATUS") }),
  ),
  NODE_STATUS_REPORT: declared<NodeStatusReport>()(
    v.object({
      type: v.literal("NODE_STATUS_REPORT"),
      nodeId,
      rows: count(),
      bytes: count(),
      opsPerSecond: rate,
      rowsWritten: count(),
    }),
  ),
};
