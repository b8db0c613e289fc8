/**
 * Everything a client and a node say to each other over a WebSocket: one msgpack map per binary
 * frame. The text frames `ping` and `pong` are answered by the platform without waking the node.
 */
import type { ClusterId, NodeId, PartitionId, Version } from "../data/ids.ts";
import type { MapDelta } from "../data/map-delta.ts";
import type { PartitionMapPayload } from "../data/members.ts";
import type { Stamp } from "../data/hlc.ts";
import type { Of } from "../data/row.ts";
import type { ErrorInfo } from "./errors.ts";
import type { AckLevel, CallOp, MembersOp, OpResult, ReadResult, Reply, TotalOp } from "./ops.ts";
import type {
  Changes,
  Digests,
  Resync,
  Subscribe,
  Synced,
  Unsubscribe,
  WantDigests,
} from "./subscription-messages.ts";

export type ClientMessage =
  Hello | Ops | Get | Call | FetchMap | Received | Subscribe | Unsubscribe | Digests;
/** What every client says; the rest is for those who call actors, and for subscribers. */
export type Asked = Exclude<ClientMessage, Call | Subscribe | Unsubscribe | Digests>;

export type ServerMessage = Told | Replies | Changes | Synced | Resync | WantDigests;

/** What every client hears, likewise. */
export type Told =
  Welcome | Ack | Values | MapMessage | MapDeltaMessage | NotOwnerNotice | ErrorMessage;

/** How much of what the node has sent over this socket the client has: bytes of binary frames, in all. */
interface Receipt {
  readonly received?: number;
}

/** First frame of every socket. */
export interface Hello extends Receipt {
  readonly type: "HELLO";
  readonly version: number;
  readonly cluster: ClusterId;
  /** Kept by the client over reconnects; the node makes one where it is missing. */
  readonly clientId?: string;
  /** true: this node passes operations on to their owners. false: it names the owner instead. */
  readonly forward: boolean;
}

export interface Welcome {
  readonly type: "WELCOME";
  readonly version: number;
  readonly clientId: string;
  readonly nodeId: NodeId;
  readonly forward: boolean;
  /** The node's clock, for the client to correct its own by. */
  readonly nowMs: number;
  /** How many unacknowledged frames, and ops in them, a client may have under way. */
  readonly creditFrames: number;
  readonly creditOps: number;
  /** How many bytes it may have received and not said so: half of that is a good moment. */
  readonly creditBytes: number;
  readonly map: PartitionMapPayload;
}

/** `seq` is the client's own count of frames; the answer names it. */
export interface Ops extends Receipt {
  readonly type: "OPS";
  readonly seq: number;
  readonly ops: readonly ClientOp[];
  /** When the frame is acknowledged; left out: "owner". */
  readonly ack?: AckLevel;
}

export type ClientOp = ClientWrite | ClientAdd | ClientRemove | ClientCount;

/** Of an entry. */
export interface ClientWrite extends Of {
  readonly type?: undefined;
  readonly stamp: Stamp;
  readonly value: Uint8Array | null;
  readonly expiresAt: number | null;
}

/** Adds an element to a set; `stamp` is its tag, which no other add of this client may have. */
export interface ClientAdd extends Of {
  readonly type: "add";
  readonly stamp: Stamp;
  readonly value: Uint8Array;
  readonly expiresAt: number | null;
}

/** Removes the adds of an element that have these tags: those that the client has seen. */
export interface ClientRemove extends Of {
  readonly type: "remove";
  readonly stamp: Stamp;
  readonly value: Uint8Array;
  /** null: all that the owner knows of when it comes there. */
  readonly tags: readonly Stamp[] | null;
}

/** All that a replica has ever added to a counter, and taken away. */
export interface ClientCount extends Of {
  readonly type: "count";
  readonly inc: number;
  readonly dec: number;
  /** Left out: this client, by its id. Else one that is no more, and has left this unsaid. */
  readonly replica?: string;
}

/** Exactly one per OPS. An op without an exception is durable, with its own stamp. */
export interface Ack {
  readonly type: "ACK";
  readonly seq: number;
  readonly exceptions: readonly OpException[];
}

/** `index` of the op in its frame, and what became of it instead. */
export interface OpException {
  readonly index: number;
  readonly result: Exclude<OpResult, { type: "stored" }>;
}

export interface Get extends Receipt {
  readonly type: "GET";
  readonly seq: number;
  readonly keys: readonly ClientQuestion[];
}

/** Without a type: of an entry. */
export type ClientQuestion = (Of & { readonly type?: undefined }) | MembersOp | TotalOp;

export interface Values {
  readonly type: "VALUES";
  readonly seq: number;
  readonly values: readonly ReadResult[];
}

/** Commands for actors. Sent again under its id, each is executed once. */
export interface Call extends Receipt {
  readonly type: "CALL";
  readonly seq: number;
  readonly calls: readonly ClientCall[];
}

export type ClientCall = Omit<CallOp, "type">;

/** Exactly one per CALL: a reply for each, that every complete copy has, or why there is none. */
export interface Replies {
  readonly type: "REPLIES";
  readonly seq: number;
  readonly replies: readonly CallResult[];
}

export type CallResult = Reply | Extract<ReadResult, { readonly type: "refused" }>;

/** Answered by MAP, or by MAP_DELTA from the versions named here, also where nothing has changed. */
export interface FetchMap extends Receipt {
  readonly type: "FETCH_MAP";
  /** Of the map that the client has. */
  readonly version?: Version;
  /** Left out: that of the last map or delta that came over this socket. */
  readonly viewVersion?: Version;
}

/** From a client that has received much since its last frame, or has nothing else to say. Not answered. */
export interface Received {
  readonly type: "RECEIVED";
  readonly received: number;
}

/** An answer, or pushed to a client that is too far behind for a delta. */
export interface MapMessage {
  readonly type: "MAP";
  readonly map: PartitionMapPayload;
}

/** An answer, or pushed when owners, copies or nodes have changed. */
export interface MapDeltaMessage extends MapDelta {
  readonly type: "MAP_DELTA";
}

/**
 * These ops of frame `seq` belong elsewhere. `applied` true: they were passed on and are acknowledged
 * as usual, go there next time; false: the frame's answer refuses them with NOT_OWNER, resend.
 */
export interface NotOwnerNotice {
  readonly type: "NOT_OWNER";
  readonly seq: number;
  readonly indexes: readonly number[];
  readonly applied: boolean;
  readonly owners: readonly {
    readonly partitionId: PartitionId;
    readonly ownerNodeId: NodeId | null;
  }[];
  readonly mapVersion: Version;
  /** The whole map, once per socket and version. */
  readonly map?: PartitionMapPayload;
}

/** `seq` null: about the socket or a frame that could not be read. */
export interface ErrorMessage {
  readonly type: "ERROR";
  readonly seq: number | null;
  readonly error: ErrorInfo;
}
