/** The table, or what has changed of it, for whoever knows less. */
import { Version } from "../../data/ids.ts";
import type { Ruling } from "../../data/ruling.ts";
import type { JoinResponse, PartitionTableUpdate } from "../../protocol/cluster-messages.ts";
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

export const rulingsOf = ({ entries }: CoordinatorTurn): readonly Ruling[] =>
  [...entries.values()].map(({ ruling }) => ruling).filter(({ epoch }) => epoch > 0);

/** What a member must have before it is active. */
export const forMember = (
  turn: CoordinatorTurn,
): Pick<JoinResponse, "membersView" | "partitionAssignments" | "tableVersion"> => ({
  membersView: turn.view,
  partitionAssignments: rulingsOf(turn),
  tableVersion: turn.cluster.tableVersion,
});
