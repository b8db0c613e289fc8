/** What is asked of a node, and what it keeps of it until the answer. Types only. */
import type { Epoch, NodeId, PartitionId, Seq, Version } from "../../data/ids.ts";
import type { Identity, Row } from "../../data/row.ts";
import type { Ruling } from "../../data/ruling.ts";
import type { AckLevel, ActorOp, Op, OpResult, ReadResult } from "../../protocol/ops.ts";
import type { ActorName } from "../actor/activation.ts";
import type { CallId } from "../machine/cluster-event.ts";
import type { Retry } from "../machine/retry.ts";
import type { Look } from "../rows/looks.ts";

/** Names one client socket, also after hibernation. */
export type SocketId = string;

/** What a socket carries through hibernation, in its attachment. */
export interface Session {
  readonly clientId: string;
  readonly forward: boolean;
  /** Of the map that this client has when it has taken all that was sent to it. */
  readonly mapVersion: Version;
  readonly viewVersion: Version;
}

/** Copies that must have every change up to their counters. */
export interface Wait {
  readonly all: ReadonlyMap<NodeId, Seq>;
  /** These only if they come to count before the others have it. */
  readonly ifCounting: ReadonlyMap<NodeId, Seq>;
}

/** Who asked, and how they want the answer. */
export type Origin =
  | {
      readonly type: "socket";
      readonly socket: SocketId;
      readonly session: Session;
      readonly seq: number;
      readonly kind: "OPS" | "GET" | "CALL";
    }
  | {
      readonly type: "peer";
      /** Its number for these ops, which it asks again under; the front has none. */
      readonly from: NodeId | null;
      readonly forwardId: Seq;
      /** As often as it has asked. */
      readonly calls: readonly CallId[];
      /** Nothing of it may wait. */
      readonly together: boolean;
    };

/** A pending request of another node's. */
export interface Asked {
  readonly from: NodeId;
  readonly id: number;
}

export type Results = readonly (OpResult | ReadResult | null)[];

export interface PendingRequest {
  readonly origin: Origin;
  readonly results: Results;
  readonly missing: number;
  readonly elsewhere: readonly Elsewhere[];
  /** Of all its ops, done or not: they lie in one frame, and each keeps all of that in memory. */
  readonly opsBytes: number;
  /** Of the values among its results. */
  readonly valueBytes: number;
}

export interface Size {
  readonly ops: number;
  readonly bytes: number;
}

export interface Credit {
  readonly frames: number;
  readonly ops: number;
}

/**
 * Running totals of all pending requests. Nearly always none: a write waits only around a move. `bytes` are those of the
 * streams, too; a write that waits for a copy is counted there once more.
 */
export interface Credits extends Size {
  /** Only sockets that have something waiting. */
  readonly sockets: ReadonlyMap<SocketId, Credit>;
}

/** An op of another owner's: passed on for a client, given back to a peer. */
export interface Elsewhere {
  readonly index: number;
  /** What this node knew when the op came. */
  readonly ruling: Ruling;
}

/** Rows that are durable here and wait for copies before anybody is told. */
export interface Held {
  readonly wait: Wait;
  readonly since: number;
  readonly waiter: Waiter;
}

export type Waiter =
  | {
      readonly type: "request";
      readonly id: number;
      readonly indexes: readonly number[];
      readonly ops: readonly Op[];
      readonly results: readonly OpResult[];
      readonly ack: AckLevel;
      readonly stamped: ReadonlySet<number>;
    }
  | { readonly type: "adopted"; readonly reply: AdoptReply }
  /** Entries of an actor's journal, up to this number, made under this epoch, and sent after this decision. */
  | {
      readonly type: "entries";
      readonly name: ActorName;
      readonly sequence: number;
      readonly confirm: number;
      readonly epoch: Epoch;
    };

/** Ops of one request: `ops[i]` is its op number `indexes[i]`. */
export interface Part {
  readonly id: number;
  readonly indexes: readonly number[];
  readonly ops: readonly Op[];
  readonly ack: AckLevel;
  /** By index, those that came without a stamp and were given one here. */
  readonly stamped: ReadonlySet<number>;
}

/** Ops for one owner, under way to it. */
export interface PendingForward {
  readonly parts: readonly Part[];
  /** null: nobody owns their partitions that this node knows of. */
  readonly to: NodeId | null;
  /** That is a node of the cluster into which this one goes over. */
  readonly abroad: boolean;
  /** Rulings that it does not know, by its own word. */
  readonly lacked: readonly Ruling[];
  readonly deadline: number;
  readonly retry: Retry;
  /** Its owner had no room for it once already. */
  readonly crowded: boolean;
}

export type AdoptReply =
  | {
      readonly type: "offer";
      readonly call: CallId;
      readonly offerId: Seq;
      readonly ack: AckLevel;
    }
  | { readonly type: "late-item"; readonly call: CallId; readonly streamId: Seq }
  /** From the copy at the other end of this stream; `after`: pull on from here. */
  | {
      readonly type: "pulled";
      readonly from: NodeId;
      readonly streamId: Seq;
      readonly after: Identity | null;
    };

export interface Request {
  readonly origin: Origin;
  readonly ops: readonly Op[];
  /** Of the writes among them. */
  readonly ack: AckLevel;
}

/** Where an op of a group sits: request and index in it. */
export interface Place {
  readonly request: number;
  readonly index: number;
}

export type Result = OpResult | ReadResult;

/** Rows to be merged, each with the place of its operation, which may have several. */
export interface Batch {
  readonly rows: Row[];
  readonly places: Place[];
}

/** Looks to be taken, each for the operation at its place. */
export interface Looks {
  readonly looks: Look[];
  readonly places: Place[];
}

/**
 * A group of requests under way through the store. It belongs to the one event that made it, whose
 * steps fill in `results`; nothing of it is kept.
 */
export interface Work {
  readonly requests: readonly Request[];
  readonly results: (Result | null)[][];
  readonly writes: Map<PartitionId, Batch>;
  /** Before anything is written, for what is to be written. */
  readonly looks: ReadonlyMap<PartitionId, Looks>;
  readonly reads: ReadonlyMap<
    PartitionId,
    { readonly identities: Identity[]; readonly places: Place[] }
  >;
  /** Sets and counters that are read. */
  readonly asks: ReadonlyMap<PartitionId, Looks>;
  readonly elsewhere: ReadonlyMap<number, Elsewhere[]>;
  /** Commands for actors that live here. */
  readonly calls: readonly CallWork[];
  /** Writes that are durable here but not yet where they must be, by request and partition. */
  readonly held: Map<number, HeldWork>;
}

export interface CallWork {
  readonly partitionId: PartitionId;
  readonly place: Place;
  readonly op: ActorOp;
}

export interface HeldWork {
  readonly request: number;
  readonly partitionId: PartitionId;
  /** Of the last of its writes. */
  wait: Wait;
  readonly indexes: number[];
  /** Of each op. */
  readonly rows: Row[][];
  readonly results: OpResult[];
  readonly stamped: Set<number>;
}
