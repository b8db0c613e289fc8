/** Branded ids and counters. The only casts of the project live here. */
declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Name of a node object, `[a-z0-9-]{1,32}`, assigned once and never reused. */
export type NodeId = Brand<string, "NodeId">;

/** Name of a cluster, `[a-z0-9-]{1,32}`. */
export type ClusterId = Brand<string, "ClusterId">;

/** Names one attempt to move one partition. */
export type MigrationId = Brand<string, "MigrationId">;

/** 0 .. partitionCount - 1. */
export type PartitionId = Brand<number, "PartitionId">;

/** Grows with every ruling on one partition. A higher epoch always wins. 0: never ruled on. */
export type Epoch = Brand<number, "Epoch">;

/** Counts reigns of the coordinator; an older term is refused by everyone. */
export type Term = Brand<number, "Term">;

/** A node's change counter. The first change is 1; 0 means "nothing yet". */
export type Seq = Brand<number, "Seq">;

/** Version of the members view or of the partition table. */
export type Version = Brand<number, "Version">;

/** Counts the joins of one node. */
export type Incarnation = Brand<number, "Incarnation">;

export const NodeId = (text: string): NodeId => text as NodeId;
export const ClusterId = (text: string): ClusterId => text as ClusterId;
export const MigrationId = (text: string): MigrationId => text as MigrationId;
export const PartitionId = (n: number): PartitionId => n as PartitionId;
export const Epoch = (n: number): Epoch => n as Epoch;
export const Term = (n: number): Term => n as Term;
export const Seq = (n: number): Seq => n as Seq;
export const Version = (n: number): Version => n as Version;
export const Incarnation = (n: number): Incarnation => n as Incarnation;
