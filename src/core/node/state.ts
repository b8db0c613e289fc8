/**
 * A node: what it has saved, and what it may forget. `saved` is small (identity, versions, one ruling
 * and role per partition) and written only when it changes; rows are storage of their own. `memory`
 * is lost in every crash and rebuilt from `saved` by asking again.
 */
import type { DigestKey } from "../../data/digest.ts";
import type { Clock } from "../../data/hlc.ts";
import { ClusterId, Epoch, Incarnation, NodeId, Seq, Term, Version } from "../../data/ids.ts";
import type { MigrationId, PartitionId } from "../../data/ids.ts";
import type { MapVersions } from "../../data/map-delta.ts";
import type { MembersView } from "../../data/members.ts";
import type { Identity, Row } from "../../data/row.ts";
import type { Ruling } from "../../data/ruling.ts";
import type { RepairFigures } from "../../protocol/cluster-messages.ts";
import { NO_ACTORS, type ActorMemory } from "../actor/activation.ts";
import type { Config } from "../config.ts";
import { Ledger } from "../machine/ledger.ts";
import { Queue } from "../machine/queue.ts";
import type { Retry } from "../machine/retry.ts";
import type { Stream } from "../partition/stream.ts";
import type { Resume } from "../rows/effects.ts";
import { NO_SUBSCRIPTIONS, type Subscriptions } from "../subscriptions/state.ts";
import { noHistory, type MapHistory } from "./map-history.ts";
import type { Asked, Credits, Held, PendingForward, PendingRequest } from "./requests.ts";

export interface NodeState {
  readonly config: Config;
  readonly saved: NodeSaved;
  readonly memory: NodeMemory;
}

export interface NodeSaved {
  readonly self: Self;
  readonly view: MembersView;
  readonly partitions: ReadonlyMap<PartitionId, PartitionSaved>;
}

export interface Self {
  readonly clusterId: ClusterId;
  readonly nodeId: NodeId;
  /** `stranger`: never invited. `joining`: has no view or table yet. */
  readonly membership: "stranger" | "joining" | "member" | "removed";
  readonly incarnation: Incarnation;
  /** Highest term heard of. */
  readonly term: Term;
  readonly tableVersion: Version;
  readonly partitionCount: number;
  readonly digestKey: DigestKey;
  /** Its cluster goes over into that one. `over`: all of it is there. */
  readonly ceding: { readonly into: ClusterId; readonly over: boolean } | null;
  /** No heartbeat above this was sent before the last crash. */
  readonly beats: number;
  /** No change counter above `seq` and no stamp above `millis` was given out before the last crash. */
  readonly reserved: { readonly seq: Seq; readonly millis: number };
  /**
   * Every complete copy had every change up to here. If no counter is reserved beyond it, that is all: the first
   * one reserved says in the same commit that there may be more.
   */
  readonly drained: Seq;
  /** Nodes that want to hear of some changes here: asked again what of when this one has lost its memory. */
  readonly listeners: readonly NodeId[];
}

export interface PartitionSaved {
  /** The newest ruling heard of, also of partitions that this node does not hold. */
  readonly ruling: Ruling;
  readonly role: Role;
}

export type Role =
  | { readonly type: "none" }
  | Owner
  /** Takes the owner's stream. */
  | ({ readonly type: "copy"; readonly state: "copying" | "complete" } & Provenance)
  /** No copy any more: offers what the owner may lack, then drops the table. */
  | ({ readonly type: "struck" } & Provenance);

/** Which of its rows a copy need not offer: all up to `cut` are at `at`, and without `foreign` all. */
export interface Provenance {
  readonly at: NodeId;
  readonly cut: Seq;
  /** Rows above `cut` came from elsewhere, too. */
  readonly foreign: boolean;
  /** They are known to be there from when `at` was a copy of this node, which was owner since this. */
  readonly ownedSince?: Epoch;
}

export interface Owner {
  readonly type: "owner";
  readonly copies: readonly OwnerCopy[];
  readonly move: OwnerMove | null;
  /** It was a copy until it became owner, of who was owner since this: it has all that it ever got from there. */
  readonly heirOf?: Epoch;
  readonly collected?: Collected;
}

/** Rows that were long gone are removed here. */
interface Collected {
  /** The newest at which nobody but this owner and its complete copies held any. */
  readonly epoch: Epoch;
  /** All copies have removed them, or are to be compared. */
  readonly settled: boolean;
  /** No row that was removed had changed after this. */
  readonly seq?: Seq;
}

/**
 * `counts`: equal to the owner at a marker; from here on whoever is promised to be on every complete
 * copy is on this one, until a ruling leaves it out. The coordinator may not know yet: being asked.
 */
export interface OwnerCopy {
  readonly nodeId: NodeId;
  readonly state: "copying" | "counts" | "complete";
  readonly migrationId: MigrationId;
  readonly resume: Resume;
  /** At the last equal marker; empty: not compared since this node became owner. */
  readonly digest: string;
}

/** `closing`: writes wait for the copies. `ready`: and every copy that stays was equal since. */
export interface OwnerMove {
  readonly migrationId: MigrationId;
  readonly to: NodeId;
  readonly phase: "copying" | "closing" | "ready";
}

export interface NodeMemory {
  /** The object's own unique id. */
  readonly host: string;
  readonly seq: Seq;
  readonly clock: Clock;
  /** Only partitions with something going on. */
  readonly partitions: ReadonlyMap<PartitionId, PartitionMemory>;
  readonly pending: Ledger<number, PendingRequest>;
  readonly credits: Credits;
  /** What other nodes have asked for, by their number for it. */
  readonly asked: Ledger<Seq, readonly Asked[]>;
  readonly forwards: Ledger<Seq, PendingForward>;
  /** No forward is due before. */
  readonly forwardsAt: number;
  readonly joinRetry: Retry | null;
  readonly beat: {
    readonly counter: number;
    /** null: dormant. */
    readonly nextAt: number | null;
    readonly workAt: number;
  };
  /** Operations answered in the current and the last ten-second window. */
  readonly traffic: { readonly windowMs: number; readonly ops: number; readonly lastOps: number };
  readonly map: MapMemory;
  /** Complete copies that may have missed the end of the last activation: no stream to them is open yet. */
  readonly behind: ReadonlyMap<PartitionId, ReadonlySet<NodeId>>;
  /** When a copy was last sent something; null: there is nothing to note when this node goes quiet. */
  readonly changedAt: number | null;
  readonly cession: Cession;
  readonly collecting: Collecting;
  /** null: nobody has asked for it since the start. */
  readonly comparing: Comparing | null;
  readonly subscriptions: Subscriptions;
  readonly actors: ActorMemory;
}

/** All copies are being compared, or have been. */
export interface Comparing {
  readonly repairId: number;
  readonly left: readonly PartitionId[];
  /** True: a copy was found to differ. */
  readonly running: ReadonlyMap<PartitionId, boolean>;
  readonly figures: RepairFigures;
}

/** Where a node is with looking for rows that are long gone: at one partition at a time, a few rows at a time. */
export interface Collecting {
  /** No look before; null: not since the start. */
  readonly at: number | null;
  readonly look: Look | null;
  readonly found: Found | null;
  /** When there may be something again; of a partition not listed nothing is known. */
  readonly nextAt: ReadonlyMap<PartitionId, number>;
}

interface Look {
  readonly partitionId: PartitionId;
  readonly after: Identity | null;
  /** Since when the first row is gone that is not gone for long enough. */
  readonly nextGone: number | null;
}

/** To be removed once that is confirmed, and once the copies are where they must be. */
interface Found {
  readonly partitionId: PartitionId;
  readonly epoch: Epoch;
  /** Husks. */
  readonly rows: readonly Row[];
  /** What each copy must have, by the stream that it had then. */
  readonly owed: ReadonlyMap<NodeId, { readonly streamId: Seq; readonly seq: Seq }>;
  readonly since: number;
  readonly confirmed: boolean;
}

/** What a node knows of the cluster into which its own goes over, and where it is with that. */
export interface Cession {
  readonly rulings: ReadonlyMap<PartitionId, Ruling>;
  /** The winner's table is being asked for. */
  readonly fetch: Retry | null;
  /** Partitions that it owns and offers. */
  readonly passes: ReadonlyMap<PartitionId, Pass>;
  /** It has said that nothing is left here. */
  readonly reported: boolean;
}

/** Rows that have changed up to `cut`, but for those that are known. */
export interface Pass {
  readonly n: number;
  readonly cut: Seq;
  readonly known: Resume;
  /** Offered so far. */
  readonly rows: number;
}

/** What clients were told of the map, and how it changed. */
interface MapMemory {
  readonly partitions: MapHistory<PartitionId>;
  readonly nodes: MapHistory<NodeId>;
  /** false: there is nobody to be told. */
  readonly audience: boolean;
  /** The versions of the last push, or of the start. */
  readonly pushed: MapVersions;
  /** false: what was due before the start may never have been pushed. */
  readonly sure: boolean;
  /** No push before, so that changes go together. */
  readonly quietUntil: number;
  readonly pushAt: number | null;
}

export interface PartitionMemory {
  /**
   * Where this node is owner: one to each copy. A complete copy without one has every change, unless it is
   * listed in `behind`.
   */
  readonly streams: ReadonlyMap<NodeId, Stream>;
  /** Where it is a copy: the stream it takes. */
  readonly inbound: Inbound | null;
  /** Where it is struck, or its cluster goes over into another: the offer under way. */
  readonly offer: Offer | null;
  /** Writes that are durable here and wait for copies. */
  readonly held: Queue<Held>;
  /** When the coordinator is asked again. */
  readonly retry: Retry | null;
  /** Copies that the coordinator is asked to strike, and why. */
  readonly giveUp: ReadonlyMap<NodeId, string>;
}

export interface Inbound {
  readonly from: NodeId;
  readonly streamId: Seq;
  /** Grows with each time that a stream is opened, over crashes, too. */
  readonly openedSeq: Seq;
  readonly next: number;
  /** The last marker answered, for when that answer is lost. */
  readonly answered: {
    readonly n: number;
    readonly buckets: Uint8Array;
    /** Of the digest of all rows; null: it is not. */
    readonly keptUntil: number | null;
  } | null;
}

export interface Offer {
  readonly offerId: Seq;
  /** Scan on from here when the rows under way are acknowledged; "end": those were the last. */
  readonly after: Resume["after"];
  readonly rows: readonly Row[];
  readonly retry: Retry;
}

export const NO_MEMORY: PartitionMemory = {
  streams: new Map(),
  inbound: null,
  offer: null,
  held: Queue.of([]),
  retry: null,
  giveUp: new Map(),
};

export const NO_ROLE: Role = { type: "none" };

export function initialNode(config: Config): NodeState {
  const self: Self = {
    clusterId: ClusterId(""),
    nodeId: NodeId(""),
    membership: "stranger",
    incarnation: Incarnation(0),
    term: Term(0),
    tableVersion: Version(0),
    partitionCount: config.partitionCount,
    digestKey: { a: 0, b: 0 },
    ceding: null,
    beats: 0,
    reserved: { seq: Seq(0), millis: 0 },
    drained: Seq(0),
    listeners: [],
  };
  return wake(config, { self, view: { version: Version(0), members: [] }, partitions: new Map() });
}

/** A node as it is after a crash: everything saved, nothing remembered. */
export function wake(config: Config, saved: NodeSaved): NodeState {
  const { seq, millis } = saved.self.reserved;
  const pushed = { version: saved.self.tableVersion, viewVersion: saved.view.version };
  return {
    config,
    saved,
    memory: {
      host: "",
      seq,
      clock: { millis, counter: 0 },
      partitions: new Map(),
      pending: Ledger.empty(),
      credits: { ops: 0, bytes: 0, sockets: new Map() },
      asked: Ledger.empty(),
      forwards: Ledger.empty(),
      forwardsAt: Infinity,
      joinRetry: null,
      beat: { counter: saved.self.beats, nextAt: null, workAt: 0 },
      traffic: { windowMs: 0, ops: 0, lastOps: 0 },
      map: {
        partitions: noHistory(pushed.version),
        nodes: noHistory(pushed.viewVersion),
        audience: false,
        pushed,
        sure: false,
        quietUntil: 0,
        pushAt: null,
      },
      behind: new Map(),
      changedAt: null,
      cession: { rulings: new Map(), fetch: null, passes: new Map(), reported: false },
      collecting: { at: null, look: null, found: null, nextAt: new Map() },
      comparing: null,
      subscriptions: NO_SUBSCRIPTIONS,
      actors: NO_ACTORS,
    },
  };
}

export const unruled = (partitionId: PartitionId): PartitionSaved => ({
  ruling: { partitionId, epoch: Epoch(0), owner: null, since: Epoch(0), copies: [] },
  role: NO_ROLE,
});
