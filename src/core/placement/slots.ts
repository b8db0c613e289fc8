/**
 * The board on which backups are placed: nodes, partitions, and which node backs up which.
 *
 * It is mutable and lives as long as one call of `computeAssignment`. Only `place` and `replace`
 * change it, so the counts beside the slots are always right.
 */
import { assert } from "../../data/assert.ts";
import type { NodeId } from "../../data/ids.ts";
import type { Placement } from "./placement.ts";
import type { Roster } from "./roster.ts";

/** A node and what it backs up. */
export interface Holder {
  readonly nodeId: NodeId;
  readonly index: number;
  readonly weight: number;
  readonly region: number;
  readonly slots: Slots[];
  /** How many of its slots belong to partitions whose owner is in a region, by region. */
  readonly byOwnerRegion: Int32Array;
  /** How many of the partitions it owns are backed up by a node, by that node's index. */
  readonly backedBy: Int32Array;
  /** What one slot less saves, and one slot more costs; see `spread.ts`. */
  giveCost: number;
  takeCost: number;
}

/** The backups of one partition. */
export interface Slots {
  readonly partition: number;
  readonly owner: Holder;
  readonly backups: Holder[];
  /** Its backups before, without those that are gone and the one that became owner. */
  readonly before: readonly Holder[];
  /** Null if the owner did not change or is gone. */
  readonly formerOwner: Holder | null;
}

export interface Board {
  /** By ascending node id. */
  readonly holders: readonly Holder[];
  readonly partitions: readonly Slots[];
  /** How many nodes a region has. */
  readonly regionSizes: readonly number[];
}

/** All nodes and partitions, every slot vacant. */
export function layOut(
  roster: Roster,
  owners: readonly NodeId[],
  current: readonly Placement[],
): Board {
  const regions = [...new Set(roster.map(({ region }) => region))];
  const holders = roster.map(({ nodeId, weight, region }, index): Holder => {
    const byOwnerRegion = new Int32Array(regions.length);
    const backedBy = new Int32Array(roster.length);
    const vacant = { slots: [], byOwnerRegion, backedBy, giveCost: 0, takeCost: 0 };
    return { nodeId, index, weight, region: regions.indexOf(region), ...vacant };
  });
  holders.forEach(recount);
  const byNode = new Map(holders.map((holder) => [holder.nodeId, holder]));
  const partitions = owners.map((nodeId, partition): Slots => {
    const owner = byNode.get(nodeId);
    const placement = current[partition];
    assert(owner !== undefined && placement !== undefined, "an owner that is not on the roster");
    const known = placement.backups.map((backup) => byNode.get(backup));
    const before = known.filter(
      (holder): holder is Holder => holder !== undefined && holder !== owner,
    );
    const former = placement.owner === null ? undefined : byNode.get(placement.owner);
    const formerOwner = former === undefined || former === owner ? null : former;
    return { partition, owner, backups: [], before: [...new Set(before)], formerOwner };
  });
  const regionSizes = regions.map((name) => roster.filter(({ region }) => region === name).length);
  return { holders, partitions, regionSizes };
}

/** Whether a backup here survives the loss of the owner's region. */
export const isOutside = (slots: Slots, holder: Holder): boolean =>
  holder.region !== slots.owner.region;

/** Fill one more slot. */
export function place(slots: Slots, holder: Holder): void {
  slots.backups.push(holder);
  enter(slots, holder);
}

/** Pass one slot on; it keeps its rank among the backups. */
export function replace(slots: Slots, giver: Holder, taker: Holder): void {
  slots.backups[slots.backups.indexOf(giver)] = taker;
  giver.slots.splice(giver.slots.lastIndexOf(slots), 1);
  count(slots, giver, -1);
  enter(slots, taker);
}

/** How many of the holder's slots belong to partitions owned in that region. */
export const slotsFrom = (holder: Holder, region: number): number =>
  holder.byOwnerRegion[region] ?? 0;

/** How many of the owner's partitions the holder backs up. */
export const timesBackedBy = (owner: Holder, holder: Holder): number =>
  owner.backedBy[holder.index] ?? 0;

function enter(slots: Slots, holder: Holder): void {
  holder.slots.push(slots);
  count(slots, holder, 1);
}

function count({ owner }: Slots, holder: Holder, by: 1 | -1): void {
  holder.byOwnerRegion[owner.region] = slotsFrom(holder, owner.region) + by;
  owner.backedBy[holder.index] = timesBackedBy(owner, holder) + by;
  recount(holder);
}

function recount(holder: Holder): void {
  holder.giveCost = (2 * holder.slots.length - 1) / holder.weight;
  holder.takeCost = (2 * holder.slots.length + 1) / holder.weight;
}
