/** The table, or what has changed of it, for whoever knows less. */
import { Version } from "../../data/ids.ts";
import type { PartitionTableUpdate } from "../../protocol/cluster-messages.ts";
import type { CoordinatorTurn } from "./turn.ts";

export function tableSince(
  { entries, cluster }: CoordinatorTurn,
  baseVersion: Version,
): PartitionTableUpdate {
  const changed = [...entries.values()].filter((entry) => entry.version > baseVersion);
  return {
    type: "PARTITION_TABLE_UPDATE",
    assignments: changed.map((entry) => entry.ruling),
    version: cluster.tableVersion,
    baseVersion,
    partitionCount: cluster.partitionCount,
    completedMigrations: [],
  };
}

export const wholeTable = (turn: CoordinatorTurn): PartitionTableUpdate =>
  tableSince(turn, Version(0));
