/** Operations on their way to the owner of their keys. */
import type { ClusterId, NodeId, PartitionId, Seq } from "../data/ids.ts";
import type { Ruling } from "../data/ruling.ts";
import type { AckLevel, Op, OpResult, ReadResult } from "./ops.ts";

export type Sender = NodeId | "coordinator" | "front";

export type OpMessage = OpForward | OpForwarded | Scan | Scanned;

/**
 * Operations for the owner of their keys, in whatever partitions of its. From the front they carry no
 * stamp and the owner stands in for the caller; forwarded ones keep theirs. Answered by OP_FORWARDED.
 */
export interface OpForward {
  readonly type: "OP_FORWARD";
  readonly sourceNodeId: Sender;
  /** Where the first operation belongs; the others may belong elsewhere, if to the same owner. */
  readonly targetPartitionId?: PartitionId;
  readonly clientId?: string;
  readonly forwardId: Seq;
  /** Left out: "owner". */
  readonly ack?: AckLevel;
  /** What the owner has shown not to know, so that a new one starts at once. */
  readonly rulings: readonly Ruling[];
  /** Of several askers: what the owner would hold for a copy it refuses, OVERLOADED, to be asked for alone. */
  readonly together?: boolean;
  /** `payload` on the wire. */
  readonly ops: readonly Op[];
}

export interface OpForwarded {
  readonly type: "OP_FORWARDED";
  readonly forwardId: Seq;
  /** One per operation, in order; NOT_OWNER for those of other owners, which were not applied. */
  readonly results: readonly (OpResult | ReadResult)[];
  /** On the partitions of the latter. */
  readonly notOwned: readonly Ruling[];
}

/** Entries of one map, partition by partition in the given order. Answered by SCANNED. */
export interface Scan {
  readonly type: "SCAN";
  readonly partitionIds: readonly PartitionId[];
  readonly map: string;
  readonly prefix: string;
  /** Only for the first of the partitions: keys above this one. */
  readonly after: string | null;
  readonly limit: number;
}

export interface Scanned {
  readonly type: "SCANNED";
  /** One per partition served, in order; ends early when the limit is reached. */
  readonly pages: readonly ScanPage[];
  /** Partitions asked for that this node does not own. */
  readonly notOwned: readonly Ruling[];
  /** Partitions asked for whose rows are in that cluster by now. */
  readonly ceded?: { readonly into: ClusterId; readonly partitionIds: readonly PartitionId[] };
}

export interface ScanPage {
  readonly partitionId: PartitionId;
  readonly entries: readonly ScanEntry[];
  readonly done: boolean;
}

export interface ScanEntry {
  readonly key: string;
  readonly value: Uint8Array;
}
