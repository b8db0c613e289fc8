/**
 * Which nodes should back up each partition: never its owner, outside the owner's region as far
 * as there are nodes outside it, spread evenly, changing little.
 *
 * First every backup that is still allowed stays, then vacant slots are filled, then `evenOut`
 * passes on those slots without which the spread would be uneven.
 */
import { assert } from "../../data/assert.ts";
import type { NodeId } from "../../data/ids.ts";
import type { Placement } from "./placement.ts";
import type { Roster } from "./roster.ts";
import { isOutside, layOut, place, timesBackedBy } from "./slots.ts";
import type { Board, Holder, Slots } from "./slots.ts";
import { evenOut } from "./spread.ts";

/** The backups of each partition, given its owner. */
export function assignBackups(
  roster: Roster,
  owners: readonly NodeId[],
  current: readonly Placement[],
  backupCount: number,
): readonly (readonly NodeId[])[] {
  const perPartition = Math.min(backupCount, roster.length - 1);
  if (perPartition <= 0) return current.map(() => []);
  const board = layOut(roster, owners, current);
  for (const slots of board.partitions) keep(slots, vacant(board, slots, perPartition));
  const floors = { everywhere: 0, bySide: new Float64Array(2 * board.regionSizes.length) };
  for (const slots of board.partitions) {
    const { outside, inside } = vacant(board, slots, perPartition);
    for (let i = 0; i < outside; i += 1) place(slots, pick(board, slots, true, floors));
    for (let i = 0; i < inside; i += 1) place(slots, pick(board, slots, false, floors));
  }
  evenOut(board.holders);
  return board.partitions.map(({ backups }) => backups.map(({ nodeId }) => nodeId));
}

/** How many more backups a partition needs outside its owner's region, and how many inside. */
interface Vacant {
  outside: number;
  inside: number;
}

function vacant(board: Board, slots: Slots, perPartition: number): Vacant {
  const nodesInside = board.regionSizes[slots.owner.region] ?? 0;
  const outside = Math.min(perPartition, board.holders.length - nodesInside);
  const filled = slots.backups.filter((holder) => isOutside(slots, holder)).length;
  const inside = perPartition - outside - (slots.backups.length - filled);
  return { outside: outside - filled, inside };
}

function keep(slots: Slots, left: Vacant): void {
  // An owner that gave the partition away has every row of it, so it makes a free backup.
  const ready = slots.formerOwner ? [...slots.before, slots.formerOwner] : slots.before;
  for (const holder of ready) {
    const side = isOutside(slots, holder) ? "outside" : "inside";
    if (left[side] <= 0 || slots.backups.includes(holder)) continue;
    left[side] -= 1;
    place(slots, holder);
  }
}

/**
 * What the cheapest node costs at least, so that a search can end at the first node that costs no
 * more. While slots are being filled costs only rise, so a floor once found stays true.
 */
interface Floors {
  everywhere: number;
  /** Two for each region: of the nodes inside it, and of those outside. */
  readonly bySide: Float64Array;
}

function pick(board: Board, slots: Slots, outside: boolean, floors: Floors): Holder {
  const side = 2 * slots.owner.region + Number(outside);
  const floor = Math.max(floors.everywhere, floors.bySide[side] ?? 0);
  const atFloor = leastLoaded(board, slots, outside, floor);
  if (atFloor !== null) return atFloor;
  const onSide = board.holders.filter((holder) => isOutside(slots, holder) === outside);
  floors.bySide[side] = lowestCost(onSide);
  floors.everywhere = lowestCost(board.holders);
  const holder = leastLoaded(board, slots, outside, Infinity);
  assert(holder !== null, "more backups wanted than there are nodes");
  return holder;
}

const lowestCost = (holders: readonly Holder[]): number =>
  holders.reduce((lowest, { takeCost }) => Math.min(lowest, takeCost), Infinity);

/**
 * The least loaded node that costs at most `limit`. Among equals, the one that backs up the fewest
 * partitions of this owner: when the owner is lost, all others take over a little instead of one
 * taking over everything. Each search starts elsewhere, or the last nodes would back up each other.
 */
function leastLoaded(
  { holders }: Board,
  slots: Slots,
  outside: boolean,
  limit: number,
): Holder | null {
  let best: Holder | null = null;
  let cost = limit;
  let times = Infinity;
  let at = (Math.imul(slots.partition + 1, GOLDEN_RATIO) >>> 0) % holders.length;
  for (let tried = 0; tried < holders.length; tried += 1) {
    const holder = holders[at];
    at = at + 1 === holders.length ? 0 : at + 1;
    if (holder === undefined || holder.takeCost > cost) continue;
    if (!isVacantFor(slots, holder, outside)) continue;
    const backs = timesBackedBy(slots.owner, holder);
    if (holder.takeCost === cost && backs >= times) continue;
    if (holder.takeCost === limit && backs === 0) return holder;
    [best, cost, times] = [holder, holder.takeCost, backs];
  }
  return best;
}

/** 2^32 divided by the golden ratio: consecutive multiples fall far apart. */
const GOLDEN_RATIO = 0x9e3779b1;

const isVacantFor = (slots: Slots, holder: Holder, outside: boolean): boolean =>
  holder !== slots.owner && isOutside(slots, holder) === outside && !slots.backups.includes(holder);
