/**
 * The coordinator: the members view, one entry per partition, and what is being done about each. Every
 * ruling is in `saved` before anybody hears it; `memory` only says whom to ask again.
 */
import type { DigestKey } from "../../data/digest.ts";
import type { ClusterId, Epoch, MigrationId, NodeId, PartitionId } from "../../data/ids.ts";
import { Term, Version } from "../../data/ids.ts";
import type { MembersView } from "../../data/members.ts";
import type { Ruling } from "../../data/ruling.ts";
import type { MigrationReport, MovePurpose } from "../../protocol/cluster-messages.ts";
import type { Config } from "../config.ts";
import type { ClusterEffect, ClusterEvent, Moment } from "../machine/cluster-event.ts";
import type { Retry } from "../machine/retry.ts";
import type { RepairMemory } from "./repair-state.ts";
import { NO_MERGE, type FailedMerge, type Merge, type MergeMemory } from "./merge-state.ts";
import { newWatch, type Watch } from "./watch-state.ts";

export interface CoordinatorState {
  readonly config: Config;
  readonly saved: CoordinatorSaved;
  readonly memory: CoordinatorMemory;
}

export interface CoordinatorSaved {
  /** null: nobody has asked for this cluster yet. */
  readonly cluster: Cluster | null;
  readonly view: MembersView;
  readonly entries: ReadonlyMap<PartitionId, Entry>;
  /** The last moves that ended, by slot: `count mod finishedMovesMax`. */
  readonly finished: ReadonlyMap<number, MigrationReport>;
}

export interface Cluster {
  readonly clusterId: ClusterId;
  readonly term: Term;
  readonly partitionCount: number;
  readonly digestKey: DigestKey;
  readonly tableVersion: Version;
  /** Table version of the last change of an owner: what nodes and clients must hear of at once. */
  readonly ownersVersion: Version;
  /** Every member is known to have these or newer ones. */
  readonly pushed: { readonly view: Version; readonly table: Version };
  /** Number of the next node to be named, `n<number>`. */
  readonly nextNode: number;
  /** All ids ever given out: none is used again. */
  readonly usedIds: readonly NodeId[];
  /** Were to leave, and were given up: if they are back, they still are to. */
  readonly leaving: readonly NodeId[];
  /** Nodes that have left and may not have heard so. */
  readonly departed: readonly NodeId[];
  readonly nextMove: number;
  readonly completed: number;
  readonly failed: number;
  /** This storage was restored from a copy of earlier: nothing is ruled until all of these have answered. */
  readonly unheard: readonly NodeId[] | null;
  readonly merge: Merge | null;
  readonly mergeFailed: FailedMerge | null;
}

export interface Entry {
  readonly ruling: Ruling;
  /** Table version of the ruling. */
  readonly version: Version;
  /** Every node that may still hold rows of the partition. */
  readonly holders: readonly NodeId[];
  /** Who is to own it by the plan; a queued move where that is not the owner. */
  readonly wanted: NodeId | null;
  /** Who is to back it up by the plan, never `wanted`; a queued copy where it is not complete. */
  readonly wantedBackups: readonly NodeId[];
  /** Who owned it and is given up, where nobody else had all of it: it waits for that node. */
  readonly lost: NodeId | null;
  /** Under which ruling that one was owner. */
  readonly lostAt?: Epoch;
  /** At most one at a time, of either purpose. */
  readonly move: Move | null;
  /** After one that failed: not again before. */
  readonly again: { readonly attempt: number; readonly notBefore: number } | null;
}

export interface Move {
  readonly migrationId: MigrationId;
  /** `backup`: the target is to stay a copy; it is done when that is complete. */
  readonly purpose: MovePurpose;
  readonly source: NodeId;
  readonly target: NodeId;
  /** `finalizing`: the target is owner by ruling; the source is struck once the target has heard. */
  readonly phase: "replicating" | "finalizing";
  readonly attempt: number;
  readonly startedAtMs: number;
  readonly deadlineMs: number;
  readonly rows: number;
  readonly bytes: number;
  readonly digest: string;
}

export interface CoordinatorMemory {
  /** This activation has persisted a term of its own. */
  readonly leading: boolean;
  /** When each member last showed that it knows of the present term. */
  readonly answered: ReadonlyMap<NodeId, number>;
  /** Who has granted it, and so told what it knows. */
  readonly granted: ReadonlySet<NodeId>;
  /** The highest term that anybody has named. */
  readonly termHeard: Term;
  /** What must wait for a quorum, in the order in which it came. */
  readonly parked: readonly Parked[];
  /** Time of the last event: what was due by then and did not start waits for something else. */
  readonly now: number;
  readonly heard: ReadonlyMap<NodeId, Heard>;
  readonly watch: Watch;
  /** What is asked again, by what it is about. */
  readonly retries: ReadonlyMap<string, Asked>;
  /** Owners that have heard of their running move. */
  readonly started: ReadonlySet<MigrationId>;
  /** The highest epoch that each partition's owner is known to have heard of. */
  readonly ownersHeard: ReadonlyMap<PartitionId, Epoch>;
  readonly merge: MergeMemory;
  /** The last repair on demand. */
  readonly repair: RepairMemory | null;
  /** Struck nodes that said they dropped their rows, by `strayName`, with the epoch they knew. */
  readonly dropped: ReadonlyMap<string, Epoch>;
}

export interface Parked {
  readonly message: CoordinatorMessage;
  readonly since: number;
}

export interface Asked extends Retry {
  /** Of the view or table that was sent: who answers with less has not got it yet. */
  readonly version: Version;
}

interface Heard {
  readonly view: Version;
  readonly table: Version;
  readonly at: number;
  readonly importing: readonly PartitionId[];
  readonly migrating: readonly PartitionId[];
}

export type CoordinatorMessage = Extract<ClusterEvent, { type: "message" }>;

export type CoordinatorEvent = ClusterEvent | (Moment & { readonly type: "started" });

export type CoordinatorEffect = ClusterEffect;

export const initialCoordinator = (config: Config): CoordinatorState =>
  wakeCoordinator(config, {
    cluster: null,
    view: { version: Version(0), members: [] },
    entries: new Map(),
    finished: new Map(),
  });

/** A coordinator as it is after a crash: everything saved, nothing remembered. */
export const wakeCoordinator = (config: Config, saved: CoordinatorSaved): CoordinatorState => ({
  config,
  saved,
  memory: {
    leading: false,
    answered: new Map(),
    granted: new Set(),
    termHeard: Term(0),
    parked: [],
    now: 0,
    repair: null,
    heard: new Map(),
    watch: newWatch(config),
    retries: new Map(),
    started: new Set(),
    ownersHeard: new Map(),
    merge: NO_MERGE,
    dropped: new Map(),
  },
});
