/**
 * The tag of an add may change until the add is settled, and a removal names tags. So a removal waits for this client's own adds of
 * its element, and takes along the tags that they have in the end. Each add is waited for by the first removal after it.
 */
import { textOf } from "../../protocol/utf8.ts";
import { isAdd, isRemoval, nameOf, type Ask, type Of, type Removal, type Settled } from "./ask.ts";
import { everyNamed, namedAt, withNamed, type Named } from "./named.ts";
import { stampAt, type WriterClock } from "./writer-clock.ts";

/** By element: the numbers of adds that are not settled and that no removal waits for, and the removals that wait. */
export type Removals = Named<readonly (number | Removal)[]>;

/** A value in a set. */
export interface ElementOf extends Of {
  readonly value: Uint8Array;
}

const elementName = (of: ElementOf): string => nameOf(of) + textOf(of.value);

const unsettledAt = (removals: Removals, of: ElementOf): readonly (number | Removal)[] =>
  namedAt(removals, elementName(of)) ?? [];

const withUnsettled = (
  removals: Removals,
  of: ElementOf,
  all: readonly (number | Removal)[],
): Removals => withNamed(removals, elementName(of), all.length > 0 ? all : null);

/** What a removal of it has to wait for. */
export const addsOf = (removals: Removals, of: ElementOf): readonly number[] =>
  unsettledAt(removals, of).filter((one) => typeof one === "number");

/** What goes out of it now; null: it waits. */
export function inTurn(removals: Removals, ask: Ask): readonly [Removals, Ask | null] {
  if (isAdd(ask))
    return [withUnsettled(removals, ask.op, [...unsettledAt(removals, ask.op), ask.id]), ask];
  if (!isRemoval(ask) || ask.behind.length === 0) return [removals, ask];
  const others = unsettledAt(removals, ask.op).filter(
    (one) => typeof one !== "number" || !ask.behind.includes(one),
  );
  return [withUnsettled(removals, ask.op, [...others, ask]), null];
}

export interface Released {
  readonly removals: Removals;
  readonly clock: WriterClock;
  /** All that waited for some of these, as they are now. */
  readonly changed: readonly Removal[];
  /** They wait for nothing more. */
  readonly next: readonly Removal[];
  /** Likewise, and there is nothing that they could remove. */
  readonly needless: readonly Settled[];
}

/** Stamped anew: as long as it waits, nobody has seen it, and the clock may have been wrong. */
export function released(
  { removals, clock }: Pick<Released, "removals" | "clock">,
  all: readonly Settled[],
  now: number,
): Released {
  const changed = new Map<number, Removal>();
  for (const { ask, outcome } of all) {
    if (!isAdd(ask)) continue;
    // What was refused may stand all the same, if another node could have had it.
    const final = outcome.type !== "refused" || ask.exposed ? [ask.op.stamp] : [];
    const left = unsettledAt(removals, ask.op).flatMap((one) => {
      if (typeof one === "number") return one === ask.id ? [] : one;
      const behind = one.behind.filter((id) => id !== ask.id);
      if (behind.length === one.behind.length) return one;
      const [ticked, stamp] = stampAt(clock, now);
      clock = ticked;
      const tags = [...(one.op.tags ?? []), ...final];
      const next = { ...one, behind, op: { ...one.op, stamp, tags } };
      changed.set(next.id, next);
      return behind.length > 0 ? next : [];
    });
    removals = withUnsettled(removals, ask.op, left);
  }
  const writes = [...changed.values()];
  const { next = [], needless = [] } = Object.groupBy(
    writes.filter(({ behind }) => behind.length === 0),
    ({ op }) => (op.tags?.length ? "next" : "needless"),
  );
  return { removals, clock, changed: writes, next, needless: needless.map(settledAsStored) };
}

const settledAsStored = (ask: Removal): Settled => ({
  ask,
  outcome: { type: "stored", stamp: ask.op.stamp },
});

/** All that wait. */
export const waitingIn = (removals: Removals): readonly Removal[] =>
  everyNamed(removals)
    .flat()
    .filter((one) => typeof one !== "number");
