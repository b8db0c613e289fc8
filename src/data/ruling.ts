/** Who owns a partition and who else holds its rows, as the coordinator last said. */
import type { Epoch, NodeId, PartitionId } from "./ids.ts";

/** A node's rows of a partition it does not own. */
export interface Copy {
  readonly nodeId: NodeId;
  /** `complete`: the coordinator has heard that an equal digest was seen; only such a copy is promoted. */
  readonly state: "copying" | "complete";
}

/**
 * The coordinator's persisted word on who owns one partition and which of its copies are complete.
 * Every ruling on a partition has a higher epoch than the one before, so of two the higher is right.
 */
export interface Ruling {
  readonly partitionId: PartitionId;
  /** Names this ruling; 0 means that nobody has ruled on the partition yet. */
  readonly epoch: Epoch;
  /** Null: never assigned, or its owner is gone and there was no complete copy. */
  readonly owner: NodeId | null;
  /** At which its owner became owner, and has been without a break since. */
  readonly since: Epoch;
  /** Never the owner itself. */
  readonly copies: readonly Copy[];
  /** The first one: nobody has a row yet, however late it is heard. */
  readonly fresh?: true;
}
