/** What everybody knows of one partition. */
import type { NodeId, PartitionId } from "../../src/data/ids.ts";
import type { Role } from "../../src/core/node/state.ts";
import { showRow, showRuling } from "./show.ts";
import type { Stage } from "./stage.ts";

const EVERYTHING = { rowsMax: 1_000, bytesMax: 1_000_000 };

export function showPartition(stage: Stage, partitionId: PartitionId): string[] {
  const entry = stage.coordinator.disk.entries.get(partitionId);
  if (!entry) return ["coordinator: knows no such partition"];
  const { ruling, holders, move } = entry;
  const moving = move ? `; ${move.migrationId} to ${move.target} ${move.phase}` : "";
  const lines = [`coordinator: ${showRuling(ruling)}; holders ${holders.join(", ")}${moving}`];
  for (const id of [...stage.nodes.keys()].toSorted()) lines.push(showNode(stage, partitionId, id));
  return lines;
}

function showNode(stage: Stage, partitionId: PartitionId, id: NodeId): string {
  const { disk, rows } = stage.node(id);
  const known = disk.partitions.get(partitionId);
  const stored = rows.page(partitionId, null, EVERYTHING).rows.map(({ row }) => showRow(row));
  const role = known ? showRole(known.role) : "nothing heard";
  return `${id}: at ${known?.ruling.epoch ?? 0}, ${role}; rows [${stored.join(", ")}]`;
}

function showRole(role: Role): string {
  switch (role.type) {
    case "none":
      return "nobody";
    case "copy":
      return `${role.state} copy of ${role.at}`;
    case "struck":
      return `struck, rows of ${role.at}`;
    case "owner": {
      const copies = role.copies.map(({ nodeId, state }) => `, ${nodeId} ${state}`).join("");
      return `owner${copies}${role.move ? `, move to ${role.move.to} ${role.move.phase}` : ""}`;
    }
  }
}

/** The phase of its move at an owner, the role elsewhere; the phase of the move at the coordinator. */
export function phaseOf(stage: Stage, partitionId: PartitionId, who: string): string {
  if (who === "coordinator")
    return stage.coordinator.disk.entries.get(partitionId)?.move?.phase ?? "no move";
  const [, host] = [...stage.nodes].find(([id]) => id === who) ?? [];
  const role = host?.disk.partitions.get(partitionId)?.role;
  if (role?.type === "owner") return role.move?.phase ?? "owner";
  return role?.type === "copy" ? role.state : (role?.type ?? "none");
}
