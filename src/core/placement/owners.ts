/**
 * Which node should own each partition.
 *
 * An owner keeps what it has, up to its quota. What is left over (its owner is gone, or has too
 * much) goes to a backup that has room, because a backup needs no copying, and else to whoever
 * has room. Nothing else moves, so the moves are as few as the balance allows.
 */
import { assert } from "../../data/assert.ts";
import type { NodeId } from "../../data/ids.ts";
import type { Placement } from "./placement.ts";
import {
  giveExtras,
  hasRoom,
  keepExtras,
  sharesOf,
  take,
  type Share,
  type Shares,
} from "./quotas.ts";
import type { Roster } from "./roster.ts";

/** The owner of each partition; at least one node must be on the roster. */
export function assignOwners(roster: Roster, current: readonly Placement[]): readonly NodeId[] {
  const shares = sharesOf(roster, current.length);
  const owners = current.map(({ owner }) => (owner && shares.byNode.get(owner)) ?? null);
  for (const share of owners) if (share) share.held += 1;
  keepExtras(shares);
  promoteBackups(owners, current, shares, (owner) => owner === null);
  promoteBackups(owners, current, shares, hasTooMuch);
  releaseSurplus(owners);
  giveExtras(shares);
  fillUp(owners, shares);
  return owners.map((share) => {
    assert(share !== null, "quotas add up to less than the partitions");
    return share.nodeId;
  });
}

const hasTooMuch = (owner: Share | null): boolean => owner !== null && owner.held > owner.quota;

/** Hand those partitions over of which a backup has room. */
function promoteBackups(
  owners: (Share | null)[],
  current: readonly Placement[],
  shares: Shares,
  wanting: (owner: Share | null) => boolean,
): void {
  current.forEach(({ backups }, at) => {
    const owner = owners[at] ?? null;
    if (!wanting(owner)) return;
    for (const nodeId of backups) {
      const share = shares.byNode.get(nodeId);
      if (share === undefined || share === owner || !hasRoom(shares, share)) continue;
      if (owner) owner.held -= 1;
      take(shares, share);
      owners[at] = share;
      return;
    }
  });
}

function releaseSurplus(owners: (Share | null)[]): void {
  for (let at = owners.length - 1; at >= 0; at -= 1) {
    const owner = owners[at] ?? null;
    if (owner === null || !hasTooMuch(owner)) continue;
    owner.held -= 1;
    owners[at] = null;
  }
}

/** One to each in turn, so that neighbouring partitions get different owners. */
function fillUp(owners: (Share | null)[], shares: Shares): void {
  let turn: Share[] = [];
  for (const [at, owner] of owners.entries()) {
    if (owner !== null) continue;
    if (turn.length === 0) {
      turn = [...shares.byNode.values()].filter(({ held, quota }) => held < quota).toReversed();
    }
    const taker = turn.pop();
    assert(taker !== undefined, "quotas add up to less than the partitions");
    taker.held += 1;
    owners[at] = taker;
  }
}
