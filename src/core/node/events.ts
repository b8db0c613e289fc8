/** What a node machine is told, and what it wants done. */
import type { NodeId, PartitionId, Seq } from "../../data/ids.ts";
import type { Identity, Row } from "../../data/row.ts";
import type { ClientMessage, ServerMessage } from "../../protocol/client-messages.ts";
import type { Scan } from "../../protocol/cluster-messages.ts";
import type { Changes, Synced, WantDigests } from "../../protocol/subscription-messages.ts";
import type { ActorEffect, ActorEvent } from "../actor/effects.ts";
import type { ActorTag } from "../actor/tags.ts";
import type { CallId, ClusterEffect, ClusterEvent, Moment } from "../machine/cluster-event.ts";
import type { RowEffect, RowEvent } from "../rows/effects.ts";
import type { FetchTag } from "../subscriptions/state.ts";
import type { Flow } from "./flow.ts";
import type { MapNews } from "./map-delta.ts";
import type { AdoptReply, Session, SocketId, Work } from "./requests.ts";

export interface ClientFrame {
  readonly socket: SocketId;
  /** null until HELLO. */
  readonly session: Session | null;
  /** When it came; NO_FLOW where nobody counts. */
  readonly flow: Flow;
  readonly message: ClientMessage;
}

export type NodeEvent = Incoming | RowEvent<NodeTag> | ActorEvent<NodeTag>;

export type Incoming =
  | ClusterEvent
  | (Moment &
      /** `hasClients`: sockets have outlived the memory of this object. */
      (
        | { readonly type: "started"; readonly host: string; readonly hasClients: boolean }
        /** The last socket has closed. */
        | { readonly type: "alone" }
        /** It has closed, or was not told something that it was to be told. */
        | { readonly type: "lost"; readonly socket: SocketId }
        /** All frames that arrived while the last group was committed. */
        | { readonly type: "frames"; readonly frames: readonly ClientFrame[] }
      ));

export type NodeEffect =
  | RowEffect<NodeTag>
  | ActorEffect<NodeTag>
  | ClusterEffect
  | { readonly type: "push"; readonly socket: SocketId; readonly message: ServerMessage }
  /** To every client that said HELLO and lacks something, or one; and note in its session what it has then. */
  | { readonly type: "push-map"; readonly news: MapNews; readonly only: SocketId | null }
  /** To a client that subscribes, unless it has too much to read: then the socket is `lost`. */
  | {
      readonly type: "tell";
      readonly socket: SocketId;
      readonly message: Changes | Synced | WantDigests;
    }
  /** To every socket that had subscribed, or one: it is to do so again. */
  | { readonly type: "resync"; readonly only: SocketId | null }
  /** To be known after hibernation. */
  | { readonly type: "subscribed"; readonly socket: SocketId; readonly yes: boolean }
  | { readonly type: "attach"; readonly socket: SocketId; readonly session: Session }
  /** For whoever operates the cluster: nothing stops, and somebody should look. */
  | { readonly type: "notice"; readonly notice: Notice }
  /** This node is no member any more: its clients must go elsewhere. */
  | { readonly type: "close-sockets"; readonly reason: string };

/**
 * Of an actor: a snapshot that cannot be used, so it was made of all its entries; a state that is no value or too large for one,
 * so the next time it will be.
 */
export interface Notice {
  readonly type: "snapshot-left-out" | "snapshot-too-large";
  readonly actorType: string;
  readonly actorId: string;
  readonly sequence: number;
}

/** Why rows were read or written: which part of the node goes on when they are. */
export type NodeTag = Moment &
  (
    | { readonly for: "serve"; readonly work: Work }
    /** A look before rows are written. */
    | { readonly for: "decide"; readonly work: Work }
    | {
        readonly for: "copy";
        readonly call: CallId;
        readonly partitionId: PartitionId;
        readonly streamId: Seq;
        readonly n: number;
        readonly marker: boolean;
      }
    /** Rows from another node's repair: merged by an owner like a write, answered when as durable. */
    | {
        readonly for: "adopt";
        readonly partitionId: PartitionId;
        readonly rows: readonly Row[];
        readonly reply: AdoptReply;
      }
    | {
        readonly for: "stream";
        readonly partitionId: PartitionId;
        readonly to: NodeId;
        readonly streamId: Seq;
        readonly after: Identity | null;
      }
    | {
        readonly for: "offer";
        readonly partitionId: PartitionId;
      }
    | {
        readonly for: "collect";
        readonly partitionId: PartitionId;
        readonly after: Identity | null;
      }
    | FetchTag
    | { readonly for: "list"; readonly call: CallId; readonly scan: Scan }
    | {
        readonly for: "pull";
        readonly call: CallId;
        readonly partitionId: PartitionId;
        readonly streamId: Seq;
      }
    | { readonly for: "status"; readonly call: CallId }
    | ActorTag
  );
