/**
 * Even out how many slots each node fills, passing on as few as it can.
 *
 * The aim is the least sum of (slots² / weight). A sum of squares is least when no chain
 * giver → … → taker, in which each passes one slot to the next, lowers it: the giver saves
 * `giveCost`, the taker pays `takeCost`, those between stay as they are. Chains and not single
 * steps, because the one node with a slot too many may fill none that the one with a slot too few
 * is allowed to fill.
 *
 *   until nobody is left: take the least loaded node; find every node from which a chain leads to
 *   it; run the chain from the most loaded of these, if that lowers the sum. If not, the node is
 *   settled, and so is every node found, for what leads to them leads to it.
 *
 * A settled node stays settled as long as each chain starts at the most loaded node that reaches
 * its taker.
 */
import { isOutside, replace, slotsFrom, timesBackedBy } from "./slots.ts";
import type { Holder, Slots } from "./slots.ts";

export function evenOut(holders: readonly Holder[]): void {
  let unsettled = holders;
  for (;;) {
    const taker = leastLoaded(unsettled);
    const giver = mostLoaded(holders);
    if (taker === null || giver === null || giver.giveCost <= taker.takeCost) return;
    // Nearly always the most loaded node can pass a slot to the least loaded one just so.
    const chains = canGive(giver, taker)
      ? { giver, towards: new Map([[giver, taker]]) }
      : chainsTo(taker, holders, giver.giveCost);
    if (chains.giver.giveCost > taker.takeCost) run(chains);
    else unsettled = unsettled.filter((holder) => !chains.towards.has(holder));
  }
}

function leastLoaded(holders: readonly Holder[]): Holder | null {
  let least: Holder | null = null;
  for (const holder of holders) {
    if (least === null || holder.takeCost < least.takeCost) least = holder;
  }
  return least;
}

function mostLoaded(holders: readonly Holder[]): Holder | null {
  let most: Holder | null = null;
  for (const holder of holders) {
    if (most === null || holder.giveCost > most.giveCost) most = holder;
  }
  return most;
}

interface Chains {
  /** The most loaded of all nodes from which a chain leads to the taker. */
  readonly giver: Holder;
  /** Each node that was found, and to whom it would pass a slot; the taker to nobody or itself. */
  readonly towards: ReadonlyMap<Holder, Holder>;
}

/** Nearest first, so that the chain is short; done once nobody can be more loaded. */
function chainsTo(taker: Holder, holders: readonly Holder[], ceiling: number): Chains {
  const towards = new Map([[taker, taker]]);
  const waiting = new Map<number, readonly Holder[]>();
  let giver = taker;
  // A map may grow while it is walked: nodes found here have their turn as receivers.
  for (const receiver of towards.keys()) {
    const { region } = receiver;
    const able = waiting.get(region) ?? holders.filter((holder) => mayGiveTo(holder, region));
    const refused: Holder[] = [];
    for (const holder of able) {
      if (towards.has(holder)) continue;
      if (!canGive(holder, receiver)) {
        refused.push(holder);
        continue;
      }
      towards.set(holder, receiver);
      if (holder.giveCost > giver.giveCost) giver = holder;
      if (giver.giveCost >= ceiling) return { giver, towards };
    }
    waiting.set(region, refused);
  }
  return { giver, towards };
}

const canGive = (holder: Holder, receiver: Holder): boolean =>
  mayGiveTo(holder, receiver.region) &&
  holder.slots.some((slots) => canPass(slots, holder, receiver));

/** Whether a node fills any slot that some node of the region could fill: all that most need. */
function mayGiveTo(holder: Holder, region: number): boolean {
  if (holder.region === region) return holder.slots.length > 0;
  const outside = holder.slots.length - slotsFrom(holder, holder.region);
  return outside > slotsFrom(holder, region);
}

const canPass = (slots: Slots, giver: Holder, receiver: Holder): boolean =>
  receiver !== slots.owner &&
  isOutside(slots, receiver) === isOutside(slots, giver) &&
  !slots.backups.includes(receiver);

function run({ giver, towards }: Chains): void {
  for (let from = giver; ;) {
    const to = towards.get(from);
    if (to === undefined || to === from) return;
    const slots = cheapestToPass(from, to);
    if (slots) replace(slots, from, to);
    from = to;
  }
}

/** Latest first, because those that were filled only now cost nothing to pass on. */
function cheapestToPass(giver: Holder, receiver: Holder): Slots | null {
  let cheapest: Slots | null = null;
  let lowest = Infinity;
  let left = COMPARED_MAX;
  for (let at = giver.slots.length - 1; at >= 0 && left > 0; at -= 1) {
    const slots = giver.slots[at];
    if (slots === undefined || !canPass(slots, giver, receiver)) continue;
    left -= 1;
    const price = priceOf(slots, giver, receiver);
    if (price >= lowest) continue;
    cheapest = slots;
    lowest = price;
  }
  return cheapest;
}

/** More would cost more time than better slots are worth. */
const COMPARED_MAX = 64;

/**
 * Rows to copy count first: none if the giver was to be new and the receiver has them already.
 * Then the spread of each owner's backups over the others, as in `fill`.
 */
function priceOf(slots: Slots, giver: Holder, receiver: Holder): number {
  const copies = (hadRows(slots, giver) ? 1 : 0) - (hadRows(slots, receiver) ? 1 : 0);
  const spread = timesBackedBy(slots.owner, receiver) - timesBackedBy(slots.owner, giver);
  return copies * COPY_PRICE + spread;
}

/** More than any difference in spread. */
const COPY_PRICE = 1e6;

const hadRows = (slots: Slots, holder: Holder): boolean =>
  slots.before.includes(holder) || slots.formerOwner === holder;
