import type { ClusterPartitionTable as Table } from "../placement/table.ts";
import { ClusterPartitionTable } from "../placement/table.ts";
import type { NodeSaved } from "./state.ts";

/** The table as this node has heard it. */
export const tableOf = (saved: NodeSaved): Table =>
  ClusterPartitionTable.empty(saved.self.partitionCount).applyAssignments(
    [...saved.partitions.values()].map(({ ruling }) => ruling),
    saved.self.tableVersion,
  );
