/** What `ack: "backup"` rests on. */
import type { PartitionId } from "../../data/ids.ts";
import type { MemberInfo } from "../../data/members.ts";
import type { Turn } from "../node/turn.ts";

/**
 * Is there a copy that every acknowledged write is promised to be at, and that can be promoted? One that is not
 * ruled complete yet is waited for, but nobody else knows what it has.
 */
export function hasBackup(turn: Turn, partitionId: PartitionId): boolean {
  const { role } = turn.partition(partitionId);
  return role.type === "owner" && role.copies.some(({ state }) => state === "complete");
}

/** One is wanted, and somebody is there, or may be, who could be it. */
export function canHaveBackup({ config, state, me }: Turn): boolean {
  if (config.backupCount === 0) return false;
  const { members, draining = [] } = state.saved.view;
  const isThere = ({ nodeId, state: its }: MemberInfo): boolean =>
    nodeId !== me && (its === "active" || its === "suspect") && !draining.includes(nodeId);
  return members.some(isThere);
}
