/** Where a partition is, or should be. */
import type { NodeId } from "../../data/ids.ts";

/** Owner and backups of one partition; its id is the index in the list of placements. */
export interface Placement {
  readonly owner: NodeId | null;
  /** The best first: when the owner is gone, an earlier one is preferred to a later one. */
  readonly backups: readonly NodeId[];
}
