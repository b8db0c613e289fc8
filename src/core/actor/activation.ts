/** An actor in the memory of the owner of its partition: one, while it is owner. Types only, and where each begins. */
import { Epoch, type PartitionId } from "../../data/ids.ts";
import type { Of, Row } from "../../data/row.ts";
import type { ActorOp, ReadResult } from "../../protocol/ops.ts";
import { Queue } from "../machine/queue.ts";
import { CommandIds } from "./command-ids.ts";

/** In the order in which partitions and actors were first used. */
export interface ActorMemory {
  readonly partitions: ReadonlyMap<PartitionId, ReadonlyMap<string, Activation>>;
  readonly count: number;
  /** Nothing of any of them is due before. */
  readonly dueAt: number;
  /** Where commands wait for a decision that is still being made, because the partition is about to move. */
  readonly paused: ReadonlySet<PartitionId>;
}

export const NO_ACTORS: ActorMemory = {
  partitions: new Map(),
  count: 0,
  dueAt: Infinity,
  paused: new Set(),
};

/** Where to find one. */
export interface ActorName {
  readonly partitionId: PartitionId;
  readonly key: string;
}

export const actorKey = ({ map, key }: Of): string => `${map.length}:${map}${key}`;

export interface Activation {
  readonly of: Of;
  readonly phase: "replaying" | "live";
  /** At which this node became owner: every entry that it makes carries it. */
  readonly epoch: Epoch;
  /** After all entries, acknowledged or not. */
  readonly state: unknown;
  /** Events. */
  readonly version: number;
  /** Of the last entry. */
  readonly sequence: number;
  readonly lastEpoch: Epoch;
  /** All entries up to here are acknowledged. */
  readonly mark: number;
  /** The last entry, if it is known: to be shown to the copies again by whoever must know that it is owner still. */
  readonly last: Row | null;
  /** Of the last decision of which the copies have acknowledged what was sent after it. */
  readonly confirmed: number;
  readonly ids: CommandIds;
  /** Where the last snapshot was taken, and one to be stored when all of it is acknowledged. */
  readonly snapshotAt: number;
  readonly frozen: Frozen | null;
  readonly mailbox: Queue<Call>;
  readonly running: Running | null;
  /** Decided, and not to be told before what was decided is acknowledged. */
  readonly outcomes: Queue<Outcome>;
  readonly usedAt: number;
  /** While it replays. */
  readonly reading: Reading;
}

/** Of a pending request of this node's. */
export interface Call {
  readonly id: number;
  readonly index: number;
  readonly op: ActorOp;
}

export interface Running {
  /** Names this decision: an answer to another one comes too late. */
  readonly n: number;
  readonly call: Call;
  readonly since: number;
}

export interface Outcome {
  readonly call: Call;
  /** Of the last entry that it rests on. */
  readonly sequence: number;
  /** The decision since which the copies must have acknowledged something; 0: none. */
  readonly confirm: number;
  readonly result: ReadResult;
}

export interface Frozen {
  readonly sequence: number;
  readonly epoch: Epoch;
  readonly version: number;
  readonly schemaVersion: number;
  /** null: it is no value, or too large for one. */
  readonly state: Uint8Array | null;
  readonly ids: CommandIds;
}

export interface Reading {
  /** Entries above the mark, of those that follow each other. */
  readonly tail: readonly Row[];
  /** The first number without an entry of its own: none behind it counts. null: not found yet. */
  readonly brokenAt: number | null;
}

export const NOTHING_READ: Reading = { tail: [], brokenAt: null };

export const newActivation = (of: Of, epoch: Epoch, usedAt: number): Activation => ({
  of,
  phase: "replaying",
  epoch,
  state: undefined,
  version: 0,
  sequence: 0,
  lastEpoch: Epoch(0),
  mark: 0,
  last: null,
  confirmed: 0,
  ids: CommandIds.of([]),
  snapshotAt: 0,
  frozen: null,
  mailbox: Queue.of([]),
  running: null,
  outcomes: Queue.of([]),
  usedAt,
  reading: NOTHING_READ,
});

/** Nobody waits for it, and it waits for nobody. */
export const isIdle = ({ phase, running, mailbox, outcomes, frozen }: Activation): boolean =>
  phase === "live" &&
  running === null &&
  frozen === null &&
  mailbox.length === 0 &&
  outcomes.length === 0;
