/** What moves, as one node knows it: what comes here, what goes, and how far that is. */
import type { MigrationId, NodeId, PartitionId } from "../../data/ids.ts";
import { compareIdentity, type Identity } from "../../data/row.ts";
import type { MigrationPhase } from "../../protocol/operator-messages.ts";
import type { NodeSaved, NodeState, OwnerMove } from "./state.ts";

/** A move as its source has it. */
export interface ActiveMigration {
  readonly migrationId: MigrationId;
  readonly partitionId: PartitionId;
  readonly target: NodeId;
  /** `finalizing` is the coordinator's alone: with the switch the source has no move any more. */
  readonly phase: Exclude<MigrationPhase, "finalizing" | "failed">;
}

const PHASE_OF: Record<OwnerMove["phase"], ActiveMigration["phase"]> = {
  copying: "replicating",
  closing: "replicating",
  ready: "ready",
};

export function activeMigrations({ partitions }: NodeSaved): readonly ActiveMigration[] {
  return [...partitions].flatMap(([partitionId, { role }]) => {
    if (role.type !== "owner" || !role.move) return [];
    const { migrationId, to: target, phase } = role.move;
    return [{ migrationId, partitionId, target, phase: PHASE_OF[phase] }];
  });
}

/** Another node's rows of it are on their way here. */
export function isImporting({ partitions }: NodeSaved, partitionId: PartitionId): boolean {
  const role = partitions.get(partitionId)?.role;
  return role?.type === "copy" && role.state === "copying";
}

/** It is owned here and going elsewhere. */
export function isMigrating({ partitions }: NodeSaved, partitionId: PartitionId): boolean {
  const role = partitions.get(partitionId)?.role;
  return role?.type === "owner" && role.move !== null;
}

/**
 * True: the target has this row as it is here. Rows are not marked one by one: the scan's cursor
 * answers it, and what the target has not acknowledged of later changes.
 */
export function isKeyMigrated(
  { saved, memory }: NodeState,
  partitionId: PartitionId,
  row: Identity,
): boolean {
  const role = saved.partitions.get(partitionId)?.role;
  const target = role?.type === "owner" ? role.move?.to : undefined;
  const stream = target && memory.partitions.get(partitionId)?.streams.get(target);
  if (!stream) return false;
  const { scanAcked, unacked, pending } = stream;
  const scanned = scanAcked === "end" || (scanAcked && compareIdentity(row, scanAcked) <= 0);
  const isIt = (other: Identity): boolean => compareIdentity(row, other) === 0;
  const changed = unacked.some(({ rows }) => rows.some(isIt)) || [...pending].some(isIt);
  return Boolean(scanned) && !changed;
}
