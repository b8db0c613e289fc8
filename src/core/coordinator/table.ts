/** The whole table, for whoever asks for it or has missed too much. */
import { Version } from "../../data/ids.ts";
import type { PartitionTableUpdate } from "../../protocol/cluster-messages.ts";
import type { CoordinatorTurn } from "./turn.ts";

export function wholeTable({ entries, cluster }: CoordinatorTurn): PartitionTableUpdate {
  return {
    type: "PARTITION_TABLE_UPDATE",
    assignments: [...entries.values()].map((entry) => entry.ruling),
    version: cluster.tableVersion,
    baseVersion: Version(0),
    partitionCount: cluster.partitionCount,
    completedMigrations: [],
  };
}
