/**
 * How many partitions each node should own: its share by weight, rounded down or up.
 *
 * Rounding is where a rebalance is made cheap or dear. There are as many roundings up as the
 * rounded-down shares leave over, and who gets them is not settled by the remainder alone: a node
 * that already owns the partition in question keeps it. Any such rounding is balanced (with equal
 * weights, loads differ by at most 1), and this one moves the fewest.
 */
import type { NodeId } from "../../data/ids.ts";
import type { Roster } from "./roster.ts";

export interface Share {
  readonly nodeId: NodeId;
  /** Partitions owned so far. */
  held: number;
  /** Partitions it should own. */
  quota: number;
  /** What rounding down took away; 0 when there was nothing, or once it has been rounded up. */
  remainder: number;
}

export interface Shares {
  /** Largest remainder first, then by node id: the order in which roundings up are given. */
  readonly ranked: readonly Share[];
  readonly byNode: ReadonlyMap<NodeId, Share>;
  /** Roundings up not given yet. */
  extras: number;
}

/** Sums of weights such as 0.1 are a little off; what is this near to a whole share is whole. */
const ROUNDING_ERROR = 1e-9;

export function sharesOf(roster: Roster, partitionCount: number): Shares {
  // Relative to the heaviest, so that no sum of weights overflows.
  const heaviest = Math.max(...roster.map(({ weight }) => weight));
  const total = roster.reduce((sum, { weight }) => sum + weight / heaviest, 0);
  const inOrder = roster.map(({ nodeId, weight }): Share => {
    const exact = (partitionCount * (weight / heaviest)) / total;
    const quota = Math.floor(exact + ROUNDING_ERROR);
    const remainder = exact - quota > ROUNDING_ERROR ? exact - quota : 0;
    return { nodeId, held: 0, quota, remainder };
  });
  return {
    ranked: inOrder.toSorted((a, b) => b.remainder - a.remainder),
    byNode: new Map(inOrder.map((share) => [share.nodeId, share])),
    extras: inOrder.reduce((left, { quota }) => left - quota, partitionCount),
  };
}

/** Round up those who already own more than their share rounded down. */
export function keepExtras(shares: Shares): void {
  for (const share of shares.ranked) {
    if (share.held > share.quota && mayRoundUp(shares, share)) roundUp(shares, share);
  }
}

/** Round up by largest remainder until nothing is left over. */
export function giveExtras(shares: Shares): void {
  for (const share of shares.ranked) {
    if (mayRoundUp(shares, share)) roundUp(shares, share);
  }
}

/** Whether the node can own one more partition and the balance holds. */
export const hasRoom = (shares: Shares, share: Share): boolean =>
  share.held < share.quota || (share.held === share.quota && mayRoundUp(shares, share));

/** Own one more partition; only where there is room. */
export function take(shares: Shares, share: Share): void {
  if (share.held === share.quota) roundUp(shares, share);
  share.held += 1;
}

const mayRoundUp = (shares: Shares, share: Share): boolean =>
  shares.extras > 0 && share.remainder > 0;

function roundUp(shares: Shares, share: Share): void {
  shares.extras -= 1;
  share.quota += 1;
  share.remainder = 0;
}
