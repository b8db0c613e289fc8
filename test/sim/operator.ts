/** A restless operator: adds nodes and sends them away, moves partitions and cancels that, and wants it again. */
import type { CoordinatorSaved, Entry } from "../../src/core/coordinator/state.ts";
import type { NodeId } from "../../src/data/ids.ts";
import { PartitionId } from "../../src/data/ids.ts";
import type { ClusterMessage } from "../../src/protocol/cluster-messages.ts";
import type { Options } from "./options.ts";
import type { Prng } from "./prng.ts";

/** What is asked for, in this order. */
export function whatIsAskedFor(
  prng: Prng,
  disk: CoordinatorSaved,
  { config: { partitionCount }, nodesMax, storm, claims }: Options,
): ClusterMessage[] {
  const members = disk.view.members.map((member) => member.nodeId);
  if (disk.entries.size === 0) return [{ type: "FETCH_PARTITION_TABLE" }];
  const claim = storm ? claimed(prng, disk) : null;
  if (claim) return [claim];
  const order = claims ? forced(prng, disk) : null;
  if (order) return [order];
  const partitionId = PartitionId(prng.below(partitionCount));
  const what = prng.below(10);
  if (what < 2 && members.length < nodesMax)
    return [{ type: "ADD_NODES", count: 1, region: "", weight: 1 }];
  if (what < 4 && members.length > 1)
    return [{ type: "LEAVE_REQUEST", nodeId: prng.pick(members) }];
  if (what < 7) return cancelled(prng, disk, members);
  if (what < 8) return [{ type: "REBALANCE" }];
  return [{ type: "MOVE_PARTITION", partitionId, to: prng.pick(members) }];
}

/** All are sent away, and those who were to take what they have are gone: somebody must come. */
export function replacementOf({ view }: CoordinatorSaved): ClusterMessage | null {
  const isLast = view.members.every(({ state }) => state === "leaving");
  return isLast ? { type: "ADD_NODES", count: 1, region: "", weight: 1 } : null;
}

/** Now and then somebody does not wait for the owner of a lost partition to come back. */
function claimed(prng: Prng, disk: CoordinatorSaved): ClusterMessage | null {
  return prng.chance(0.7) ? claimOf(prng, disk) : null;
}

/** null: there is none, or nobody to take it. */
export const claimOf = (prng: Prng, saved: CoordinatorSaved): ClusterMessage | null =>
  claimAmong(prng, saved, ({ ruling }) => ruling.owner === null);

function claimAmong(
  prng: Prng,
  { entries, view }: CoordinatorSaved,
  isMeant: (entry: Entry) => boolean,
): ClusterMessage | null {
  const meant = [...entries.values()].filter(isMeant);
  const active = view.members.filter(({ state }) => state === "active");
  if (meant.length === 0 || active.length === 0) return null;
  const { partitionId, epoch } = prng.pick(meant).ruling;
  return { type: "CLAIM_PARTITION", partitionId, nodeId: prng.pick(active).nodeId, epoch };
}

/** Who does not know better does by force what would be done in order. */
function forced(prng: Prng, disk: CoordinatorSaved): ClusterMessage | null {
  if (!prng.chance(0.3)) return null;
  return claimAmong(prng, disk, ({ ruling }) => ruling.owner !== null);
}

/** Who cancels often wants another target at once, or the same after all. */
function cancelled(
  prng: Prng,
  { entries }: CoordinatorSaved,
  members: readonly NodeId[],
): ClusterMessage[] {
  const moves = [...entries].flatMap(([id, { move }]) => (move ? [{ id, to: move.target }] : []));
  if (moves.length === 0) return [];
  const { id: partitionId, to } = prng.pick(moves);
  const cancel = { type: "CANCEL_MOVE", partitionId } as const;
  if (!prng.chance(0.75)) return [cancel];
  const next = prng.chance(0.5) ? to : prng.pick(members);
  return [cancel, { type: "MOVE_PARTITION", partitionId, to: next }];
}
