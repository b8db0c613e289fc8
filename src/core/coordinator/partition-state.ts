/** The seeds' words for where a partition is, read from what the coordinator has saved of it. */
import type { Epoch, NodeId, PartitionId } from "../../data/ids.ts";
import type { MembersView } from "../../data/members.ts";
import type { Entry } from "./state.ts";

/**
 * Of one partition at one node. `active`: it owns it. `migrating`: and it is going elsewhere.
 * `receiving`: it comes here. `draining`: it went, and what is left is passed on or offered.
 * `lost`: it owned it, is gone, and nobody has a complete copy. A backup is `unassigned`, also while it is copied.
 */
export type PartitionState =
  "unassigned" | "active" | "migrating" | "receiving" | "draining" | "lost";

export interface PartitionMeta {
  readonly partitionId: PartitionId;
  readonly epoch: Epoch;
  readonly ownerNodeId: NodeId | null;
  /** Complete copies. */
  readonly backupNodeIds: readonly NodeId[];
  /** Of every node that has to do with it. */
  readonly states: ReadonlyMap<NodeId, PartitionState>;
}

export function partitionStateAt(entry: Entry, nodeId: NodeId, view: MembersView): PartitionState {
  const { ruling, holders, move } = entry;
  if (ruling.owner === nodeId) return stateAtOwner(entry, isGone(view, nodeId));
  const goes = move?.purpose === "move" ? move.phase : null;
  if (goes === "replicating" && move?.target === nodeId) return "receiving";
  if (goes === "finalizing" && move?.source === nodeId) return "draining";
  const isCopy = ruling.copies.some((copy) => copy.nodeId === nodeId);
  return holders.includes(nodeId) && !isCopy ? "draining" : "unassigned";
}

function stateAtOwner({ ruling, move }: Entry, gone: boolean): PartitionState {
  if (gone && !ruling.copies.some(({ state }) => state === "complete")) return "lost";
  const goes = move?.purpose === "move" && move.phase === "replicating";
  return goes ? "migrating" : "active";
}

const isGone = ({ members }: MembersView, nodeId: NodeId): boolean => {
  const member = members.find((m) => m.nodeId === nodeId);
  return member === undefined || member.state === "dead" || member.state === "removed";
};

export function partitionMeta(entry: Entry, view: MembersView): PartitionMeta {
  const { partitionId, epoch, owner, copies } = entry.ruling;
  const concerned = new Set([...(owner ? [owner] : []), ...entry.holders]);
  for (const { nodeId } of copies) concerned.add(nodeId);
  return {
    partitionId,
    epoch,
    ownerNodeId: owner,
    backupNodeIds: copies.flatMap(({ nodeId, state }) => (state === "complete" ? [nodeId] : [])),
    states: new Map([...concerned].map((id) => [id, partitionStateAt(entry, id, view)])),
  };
}
