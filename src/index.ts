/**
 * Everything of the cluster that has a name outside, in one place.
 *
 * Machines take events and return effects, so there are no channels: what a channel of changes would
 * carry is the difference of two versions (`changesBetween`), what one of commands would carry are the
 * messages that the coordinator sends (`MigrationCommand`), and what arrives is an event of the machine
 * (`InboundClusterMessage`). `isAlive` and `suspicionLevel` are methods of a `FailureDetector`.
 */
export type { NodeState, NodeStatus, MemberInfo, MembersView } from "./data/members.ts";
export type { PartitionMapPayload } from "./data/members.ts";
export { isMaster, masterOf, masterOf as master } from "./data/members.ts";
export { partitionOf } from "./data/hash.ts";
/** Owner and complete copies of one partition, with the epoch that says so. */
export type { Ruling, Ruling as PartitionAssignment } from "./data/ruling.ts";

export type { Config as ClusterConfig } from "./core/config.ts";
export { DEFAULTS, validate } from "./core/config.ts";

// What is said; each message is a member of `ClusterMessage` by its `type`.
export type * from "./protocol/cluster-messages.ts";
export type { DeltaOp, MapStateChunk } from "./protocol/packed-rows.ts";
export { decodeEnvelope, encodeEnvelope } from "./protocol/codec.ts";
export { PROTOCOL_VERSION } from "./protocol/version.ts";

// What is promised.
export type {
  ClusterHealth,
  ClusterPartitionService,
  ClusterService,
  MembershipService,
  MigrationService,
} from "./protocol/contracts.ts";
export type { FailureDetector } from "./core/detector/detector.ts";

// What is decided.
export { DeadlineFailureDetector } from "./core/detector/deadline.ts";
export { PhiAccrualFailureDetector, type PhiAccrualConfig } from "./core/detector/phi.ts";
export { computeAssignment, type Candidate, type Placement } from "./core/placement/assign.ts";
export { orderMigrations, planRebalance, type MigrationTask } from "./core/placement/plan.ts";
export { ClusterPartitionTable, toPartitionMap } from "./core/placement/table.ts";
export { changesBetween } from "./core/placement/changes.ts";
export type { ClusterChange, ClusterState } from "./core/placement/changes.ts";
export { partitionMeta, partitionStateAt } from "./core/coordinator/partition-state.ts";
export type { PartitionMeta, PartitionState } from "./core/coordinator/partition-state.ts";
export {
  activeMigrations,
  isImporting,
  isKeyMigrated,
  isMigrating,
  type ActiveMigration,
} from "./core/node/migrations.ts";

import type { ClusterEvent } from "./core/machine/cluster-event.ts";
import type { MigrateCancel, MigrateFinalize, MigrateStart } from "./protocol/move-messages.ts";

/** What the coordinator tells a node to do about a move. */
export type MigrationCommand = MigrateStart | MigrateFinalize | MigrateCancel;
/** A message as the machine that it reached takes it. */
export type InboundClusterMessage = Extract<ClusterEvent, { readonly type: "message" }>;
