/** What a node machine is told, and what it wants done. */
import type { ClusterId, NodeId, PartitionId, Seq, Term } from "../../data/ids.ts";
import type { Identity, Row } from "../../data/row.ts";
import type { ClientMessage, ServerMessage } from "../../protocol/client-messages.ts";
import type { ClusterMessage, Scan, Sender } from "../../protocol/cluster-messages.ts";
import type { RowEffect, RowEvent } from "../rows/effects.ts";
import type { AdoptReply, CallId, Session, SocketId, Work } from "./requests.ts";

export interface ClientFrame {
  readonly socket: SocketId;
  /** null until HELLO. */
  readonly session: Session | null;
  readonly message: ClientMessage;
}

export type NodeEvent = Incoming | RowEvent<NodeTag>;

/** `now` in ms since the epoch; `random` drawn fresh in [0, 1). */
export type Incoming = { readonly now: number; readonly random: number } & (
  | { readonly type: "started"; readonly host: string }
  | { readonly type: "woke" }
  /** `call` null: this is the answer to something that this node sent. */
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
  /** All frames that arrived while the last group was committed. */
  | { readonly type: "frames"; readonly frames: readonly ClientFrame[] }
  | { readonly type: "socket-closed"; readonly socket: SocketId }
);

export type NodeEffect =
  | RowEffect<NodeTag>
  /** Call `deliver` there; its answer comes back as a `message`, a failure as `undelivered`. */
  | { readonly type: "send"; readonly to: Sender; readonly message: ClusterMessage }
  | { readonly type: "answer"; readonly call: CallId; readonly message: ClusterMessage }
  | { readonly type: "push"; readonly socket: SocketId; readonly message: ServerMessage }
  | { readonly type: "attach"; readonly socket: SocketId; readonly session: Session }
  /** This node is no member any more: its clients must go elsewhere. */
  | { readonly type: "close-sockets"; readonly reason: string };

/** Why rows were read or written: which part of the node goes on when they are. */
export type NodeTag =
  | { readonly for: "serve"; readonly work: Work; readonly now: number; readonly random: number }
  | ({
      readonly for: "copy";
      readonly call: CallId;
      readonly partitionId: PartitionId;
      readonly from: NodeId;
      readonly streamId: Seq;
      readonly n: number;
      readonly marker: boolean;
    } & Moment)
  /** Rows from another node's repair: merged by an owner like a write, answered when as durable. */
  | {
      readonly for: "adopt";
      readonly partitionId: PartitionId;
      readonly rows: readonly Row[];
      readonly reply: AdoptReply;
      readonly now: number;
      readonly random: number;
    }
  | {
      readonly for: "stream";
      readonly partitionId: PartitionId;
      readonly to: NodeId;
      readonly streamId: Seq;
      readonly after: Identity | null;
      readonly now: number;
      readonly random: number;
    }
  | {
      readonly for: "offer";
      readonly partitionId: PartitionId;
      readonly now: number;
      readonly random: number;
    }
  | ({ readonly for: "list"; readonly call: CallId; readonly scan: Scan } & Moment)
  | ({
      readonly for: "pull";
      readonly call: CallId;
      readonly partitionId: PartitionId;
      readonly streamId: Seq;
    } & Moment)
  | ({ readonly for: "status"; readonly call: CallId } & Moment);

/** When the event that asked came, and its chance: the answer is decided as part of it. */
interface Moment {
  readonly now: number;
  readonly random: number;
}
