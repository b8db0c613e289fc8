/** When the client's clock turns out to be wrong. */
import { compareStamps, formatStamp, isAhead, type Stamp } from "../../data/hlc.ts";
import { isWrite, type Ask, type Settled, type Write } from "./ask.ts";
import { changed, everything, underWay, type Outbox } from "./outbox-state.ts";
import { corrected, restamp, underAnotherName } from "./writer-clock.ts";

export interface Restamped {
  readonly outbox: Outbox;
  readonly writes: readonly Write[];
  /** Adds that are not sent any more. */
  readonly dropped: readonly Settled[];
}

/**
 * Gives new stamps, in the order of those they have, to all that no node can have. An add that a removal names by the stamp that it
 * has keeps it, so as not to come back under another one: no node would take it, and none need.
 */
export function restampAll(state: Outbox, aheadMs: number, now: number): Restamped {
  const all = everything(state);
  const flying = underWay(state);
  const seen = [...flying, ...all.filter((ask) => isWrite(ask) && ask.exposed)];
  const stamps = seen.flatMap((ask) => (isWrite(ask) ? [ask.op.stamp] : []));
  // Those of a future that every node refuses are no measure. Another node may take them when it comes.
  const sound = stamps.filter((stamp) => !isAhead(stamp, now + aheadMs));
  const clock = sound.length < stamps.length ? underAnotherName(state.clock) : state.clock;
  let next = corrected(clock, aheadMs, sound);
  const removed = removedBy([...flying, ...all]);
  const byId = new Map<number, Write>();
  const dropped: Settled[] = [];
  const unseen = all.filter((ask) => isWrite(ask)).filter(({ exposed }) => !exposed);
  for (const ask of unseen.toSorted((a, b) => compareStamps(a.op.stamp, b.op.stamp))) {
    const stamp = removed.get(formatStamp(ask.op.stamp));
    if (stamp) dropped.push({ ask, outcome: { type: "superseded", stamp } });
    else {
      const [ticked, op] = restamp(next, ask, now);
      next = ticked;
      byId.set(ask.id, { ...ask, op });
    }
  }
  const gone = new Set(dropped.map(({ ask }) => ask));
  const after = changed(state, (ask) => (gone.has(ask) ? [] : (byId.get(ask.id) ?? ask)));
  const outbox = { ...after, size: state.size - dropped.length, clock: next };
  return { outbox, writes: [...byId.values()], dropped };
}

/** The tags that removals name, by their text, each with the stamp of its removal. */
function removedBy(asks: readonly Ask[]): ReadonlyMap<string, Stamp> {
  const removed = new Map<string, Stamp>();
  for (const ask of asks)
    if (isWrite(ask) && ask.op.type === "remove")
      for (const tag of ask.op.tags ?? []) removed.set(formatStamp(tag), ask.op.stamp);
  return removed;
}
