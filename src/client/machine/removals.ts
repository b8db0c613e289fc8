/**
 * The tag of an add may change until the add is settled, and a removal names tags. So a removal waits for this client's own adds of
 * its element, and takes along the tags that they have in the end. Each add is waited for by the first removal after it.
 */
import { Queue } from "../../core/machine/queue.ts";
import type { Stamp } from "../../data/hlc.ts";
import { textOf } from "../../protocol/utf8.ts";
import { isAdd, isRemoval, nameOf, type Ask, type Of, type Removal, type Settled } from "./ask.ts";
import { everyNamed, namedAt, withNamed, type Named } from "./named.ts";
import { stampAt, type WriterClock } from "./writer-clock.ts";

/** What of one element is not settled, in order of the calls. */
interface Unsettled {
  /** Adds that no removal waits for, by number. */
  readonly adds: Queue<number>;
  /** Removals that wait. */
  readonly waiting: Queue<Removal>;
}

/** By element. */
export type Removals = Named<Unsettled>;

/** A value in a set. */
export interface ElementOf extends Of {
  readonly value: Uint8Array;
}

const NOTHING: Unsettled = { adds: Queue.of([]), waiting: Queue.of([]) };

const elementName = (of: ElementOf): string => `${of.key.length}:${nameOf(of)}${textOf(of.value)}`;

/** What a removal of it that is asked for now has to wait for. */
export const addsOf = (removals: Removals, of: ElementOf): number[] =>
  unsettledOf(removals, elementName(of)).adds.slice(0);

const unsettledOf = (removals: Removals, name: string): Unsettled =>
  namedAt(removals, name) ?? NOTHING;

const withUnsettled = (removals: Removals, name: string, some: Unsettled): Removals =>
  withNamed(removals, name, some.adds.length + some.waiting.length > 0 ? some : null);

/** What goes out of it now; null: it waits. */
export function inTurn(removals: Removals, ask: Ask): readonly [Removals, Ask | null] {
  if (!isAdd(ask) && !isRemoval(ask)) return [removals, ask];
  const name = elementName(ask.op);
  const { adds, waiting } = unsettledOf(removals, name);
  if (isAdd(ask))
    return [withUnsettled(removals, name, { adds: adds.with([ask.id]), waiting }), ask];
  if (ask.behind.length === 0) return [removals, ask];
  const left = Queue.of(adds.slice(0).filter((id) => !ask.behind.includes(id)));
  return [withUnsettled(removals, name, { adds: left, waiting: waiting.with([ask]) }), null];
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
  const changed: Removal[] = [];
  const byName = Map.groupBy(all, ({ ask }) => (isAdd(ask) ? elementName(ask.op) : ""));
  for (const [name, some] of byName) {
    if (!name) continue;
    const tags = new Map(some.map((each) => [each.ask.id, finalTag(each)]));
    const { adds, waiting } = unsettledOf(removals, name);
    const isOpen = (id: number): boolean => !tags.has(id);
    const left = waiting.slice(0).flatMap((removal) => {
      const behind = removal.behind.filter(isOpen);
      if (behind.length === removal.behind.length) return removal;
      const [ticked, stamp] = stampAt(clock, now);
      clock = ticked;
      const named = removal.behind.flatMap((id) => tags.get(id) ?? []);
      const op = { ...removal.op, stamp, tags: [...(removal.op.tags ?? []), ...named] };
      const next = { ...removal, behind, op, exposed: false };
      changed.push(next);
      return behind.length > 0 ? next : [];
    });
    const open = adds.slice(0).filter(isOpen);
    removals = withUnsettled(removals, name, { adds: Queue.of(open), waiting: Queue.of(left) });
  }
  const free = changed.filter(({ behind }) => behind.length === 0);
  const next = free.filter(({ op }) => op.tags?.length);
  const needless = free.filter(({ op }) => !op.tags?.length).map(settledAsStored);
  return { removals, clock, changed, next, needless };
}

/** What was refused has no tag, unless another node could have had it. */
const finalTag = ({ ask, outcome }: Settled): readonly Stamp[] =>
  isAdd(ask) && (outcome.type !== "refused" || ask.exposed) ? [ask.op.stamp] : [];

const settledAsStored = (ask: Removal): Settled => ({
  ask,
  outcome: { type: "stored", stamp: ask.op.stamp },
});

/** All that wait. */
export const waitingIn = (removals: Removals): readonly Removal[] =>
  everyNamed(removals).flatMap(({ waiting }) => waiting.slice(0));
