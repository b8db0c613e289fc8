/**
 * Everything that nodes, the coordinator and the front say to each other, one per `deliver` call,
 * each answered by exactly one of the same union. Rows travel packed (see `codec.ts`); here they
 * are rows. A message may be lost, late, repeated or reordered: what it says must stand by itself.
 */
import type { ClusterId, Term } from "../data/ids.ts";
import type { ErrorInfo } from "./errors.ts";
import type { MembershipMessage } from "./membership-messages.ts";
import type { MergeMessage } from "./merge-messages.ts";
import type { MoveMessage } from "./move-messages.ts";
import type { OpMessage, Sender } from "./op-messages.ts";
import type { OperatorMessage } from "./operator-messages.ts";
import type { ReignMessage } from "./reign-messages.ts";
import type { RepairMessage } from "./repair-messages.ts";
import type { StreamMessage } from "./row-messages.ts";
import type { SubscriptionMessage } from "./subscription-messages.ts";
import type { TableMessage } from "./table-messages.ts";

/** What every cluster message travels in. `from` is a node, `coordinator` or `front`. */
export interface Envelope {
  readonly clusterId: ClusterId;
  readonly version: number;
  /** The sender's highest known term. Only what a coordinator says is refused for an older one. */
  readonly term: Term;
  readonly from: Sender;
  readonly message: ClusterMessage;
}

export type ClusterMessage =
  | MembershipMessage
  | ReignMessage
  | MergeMessage
  | RepairMessage
  | TableMessage
  | MoveMessage
  | StreamMessage
  | OpMessage
  | SubscriptionMessage
  | OperatorMessage
  | Done
  | Failed;

/** Understood, nothing to add. */
export interface Done {
  readonly type: "DONE";
}

export interface Failed {
  readonly type: "ERROR";
  readonly error: ErrorInfo;
}

export type * from "./membership-messages.ts";
export type * from "./reign-messages.ts";
export type * from "./merge-messages.ts";
export type * from "./repair-messages.ts";
export type * from "./table-messages.ts";
export type * from "./move-messages.ts";
export type * from "./row-messages.ts";
export type * from "./op-messages.ts";
export type * from "./operator-messages.ts";
export type * from "./subscription-messages.ts";
