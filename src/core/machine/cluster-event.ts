/** What every object of a cluster is told, and what each may want said. */
import type { ClusterId, Term } from "../../data/ids.ts";
import type { ClusterMessage, Sender } from "../../protocol/cluster-messages.ts";

/** Names one incoming `deliver` call until it is answered. */
export type CallId = number;

/** When an event came (ms since the epoch), and its chance (drawn fresh in [0, 1)). */
export interface Moment {
  readonly now: number;
  readonly random: number;
}

export type ClusterEvent = Moment &
  (
    | { readonly type: "woke" }
    /** `call` null: this is the answer to something that this object sent. */
    | {
        readonly type: "message";
        readonly clusterId: ClusterId;
        readonly from: Sender;
        readonly term: Term;
        readonly message: ClusterMessage;
        readonly call: CallId | null;
      }
    /** The call failed: nobody knows whether the other side heard it. */
    | { readonly type: "undelivered"; readonly to: Sender; readonly message: ClusterMessage }
  );

export type ClusterEffect =
  /** Call `deliver` there; its answer comes back as a `message`, a failure as `undelivered`. */
  | {
      readonly type: "send";
      readonly to: Sender;
      readonly message: ClusterMessage;
      /** Left out: one's own. */
      readonly cluster?: ClusterId;
    }
  | { readonly type: "answer"; readonly call: CallId; readonly message: ClusterMessage };
