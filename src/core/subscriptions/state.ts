/** What a node remembers of subscriptions. None of it is saved but who listens: each side asks again. */
import type { DigestKey } from "../../data/digest.ts";
import type { NodeId, PartitionId, Seq } from "../../data/ids.ts";
import type { Identity } from "../../data/row.ts";
import type { CallId } from "../machine/cluster-event.ts";
import type {
  Buckets,
  FeedPart,
  FetchRows,
  PartRead,
  Position,
  Query,
} from "../../protocol/subscription-messages.ts";
import type { Retry } from "../machine/retry.ts";
import type { SocketId } from "../node/requests.ts";

export interface Subscriptions {
  readonly interests: ReadonlyMap<PartitionId, ReadonlyMap<string, Interested>>;
  readonly outlets: ReadonlyMap<NodeId, Outlet>;
  /** Since the start nobody who listened before has been asked what to. */
  readonly asleep: boolean;
  /** By name of the map. */
  readonly feeds: ReadonlyMap<string, Feed>;
  readonly subscriptions: ReadonlyMap<string, Subscription>;
  readonly bySocket: ReadonlyMap<SocketId, readonly string[]>;
  /** Of all subscriptions. */
  readonly readings: number;
  readonly fetches: ReadonlyMap<Seq, PendingFetch>;
}

/** Who is to be told of changes of one map in one partition of this owner. */
export interface Interested {
  /** When it changed last, or somebody was told where it stands. */
  readonly last: Seq;
  /** Where the change counter was when they said so. */
  readonly nodes: ReadonlyMap<NodeId, Seq>;
}

/** What one node is told: one message at a time, and what changes meanwhile goes together. */
export interface Outlet {
  /** The message under way; null: none. */
  readonly n: Seq | null;
  /** What shows the gap, should it be lost. */
  readonly sent: readonly FeedPart[];
  readonly waiting: ReadonlyMap<string, FeedPart>;
  /** Of the rows that wait. */
  readonly bytes: number;
  /** It is to be asked again what it wants to hear. */
  readonly again: boolean;
  readonly retry: Retry | null;
}

/** One map, as its owners tell this node of it. */
export interface Feed {
  /** How far it was told, where it was. */
  readonly parts: ReadonlyMap<PartitionId, Position>;
  /** Their owners have not said yet that they will tell, asked under this number or a later one. */
  readonly open: ReadonlyMap<PartitionId, Seq>;
  readonly retry: Retry | null;
  readonly subscriptions: ReadonlySet<string>;
}

export interface Subscription {
  readonly socket: SocketId;
  readonly id: number;
  readonly query: Query;
  readonly salt: DigestKey;
  /** Its client was told that it had all. */
  readonly synced: boolean;
  /** Partitions in which its client does not have just what this node was told. */
  readonly readings: ReadonlyMap<PartitionId, Reading>;
  readonly fetchId: Seq | null;
  /** When it looks for an owner again. */
  readonly retry: Retry | null;
}

export interface Reading {
  /** What its client has; null: nothing. */
  readonly position: Position | null;
  readonly step: Step;
}

export type Step =
  /** The owner has not said yet where it stands. */
  | { readonly type: "waiting" }
  /** Reads what has changed since `from`, or `position` if that is null. `start`: where the owner was when that began. */
  | {
      readonly type: "changes";
      readonly from: Position | null;
      readonly start: Position | null;
      readonly after: Identity | null;
    }
  /** Its client is to be asked what it has. */
  | { readonly type: "unasked" }
  /** And was. */
  | { readonly type: "asked" }
  /** Adds up what there is. */
  | {
      readonly type: "digest";
      readonly theirs: Uint8Array;
      readonly ours: Uint8Array;
      readonly start: Position | null;
      readonly after: Identity | null;
    }
  /** Reads what there is, but for what was found equal. */
  | {
      readonly type: "rows";
      readonly buckets: Buckets;
      readonly begun: boolean;
      readonly start: Position | null;
      readonly after: Identity | null;
    }
  /** Its client has more than this node was told. */
  | { readonly type: "ahead" };

interface PendingFetch {
  readonly name: string;
  readonly to: NodeId;
  /** As they were when it asked. */
  readonly asked: ReadonlyMap<PartitionId, Step>;
  readonly retry: Retry;
}

export const NO_SUBSCRIPTIONS: Subscriptions = {
  interests: new Map(),
  outlets: new Map(),
  asleep: true,
  feeds: new Map(),
  subscriptions: new Map(),
  bySocket: new Map(),
  readings: 0,
  fetches: new Map(),
};

export const nameOf = (socket: SocketId, id: number): string => `${id} ${socket}`;

/** Rows are read for a subscription of another node's. */
export interface FetchTag {
  readonly for: "fetch";
  readonly call: CallId;
  readonly message: FetchRows;
  /** In which something is to be read, and where they stood then. */
  readonly reads: readonly { readonly read: PartRead; readonly at: Position }[];
}
