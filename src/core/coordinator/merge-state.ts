/** What a coordinator keeps of becoming one with another cluster. */
import type { ClusterId, Epoch, NodeId, PartitionId, Version } from "../../data/ids.ts";
import type { ErrorInfo } from "../../protocol/errors.ts";
import type { CallId } from "../machine/cluster-event.ts";

/**
 * The loser:  asking ──accepted──► ceding ──nobody holds a row──► merged ──all have heard──► over
 *               └──refused, or not answered for long──► null, and what failed
 */
export type Merge =
  | {
      readonly side: "loser";
      readonly other: ClusterId;
      readonly phase: "asking" | "ceding" | "merged" | "over";
      /** Made for the request: a late answer to an earlier one says nothing of this. */
      readonly viewVersion: Version;
      /** By our clock. */
      readonly askedAtMs: number;
    }
  | { readonly side: "winner"; readonly other: ClusterId };

/** The last that came to nothing, after whoever ordered it may have been told that it goes on. */
export interface FailedMerge {
  readonly other: ClusterId;
  readonly error: ErrorInfo;
}

/** Lost in a crash. */
export interface MergeMemory {
  /** An operator waits for it. */
  readonly order: Order | null;
  /** Owners that hold nothing of a partition any more, and the epoch of which that is known. */
  readonly ceded: ReadonlyMap<PartitionId, { readonly owner: NodeId; readonly epoch: Epoch }>;
  /** Members that send their clients to the winner. */
  readonly over: ReadonlySet<NodeId>;
  /** The winner knows that it has everything. */
  readonly winnerHeard: boolean;
}

interface Order {
  readonly other: ClusterId;
  readonly calls: readonly CallId[];
  readonly since: number;
}

export const NO_MERGE: MergeMemory = {
  order: null,
  ceded: new Map(),
  over: new Set(),
  winnerHeard: false,
};

/** From here on the loser plans nothing and takes nobody in: what it has goes to the winner. */
export const isCeding = (merge: Merge | null): boolean =>
  merge?.side === "loser" && merge.phase !== "asking";

/** It answers to the winner's name. */
export const isMerged = (merge: Merge | null): boolean =>
  merge?.side === "loser" && (merge.phase === "merged" || merge.phase === "over");
