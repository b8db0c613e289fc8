/** When the client's clock turns out to be wrong. */
import { compareStamps, isAhead } from "../../data/hlc.ts";
import { isWrite, type Write } from "./ask.ts";
import { changed, everything, underWay, type Outbox } from "./outbox-state.ts";
import { corrected, restamp, underAnotherName } from "./writer-clock.ts";

/** Gives new stamps, in the order of those they have, to all that no node can have. */
export function restampAll(
  state: Outbox,
  aheadMs: number,
  now: number,
): readonly [Outbox, readonly Write[]] {
  const all = everything(state);
  const seen = [...underWay(state), ...all.filter((ask) => isWrite(ask) && ask.exposed)];
  const stamps = seen.flatMap((ask) => (isWrite(ask) ? [ask.op.stamp] : []));
  // Those of a future that every node refuses are no measure. Another node may take them when it comes.
  const sound = stamps.filter((stamp) => !isAhead(stamp, now + aheadMs));
  const clock = sound.length < stamps.length ? underAnotherName(state.clock) : state.clock;
  let next = corrected(clock, aheadMs, sound);
  const byId = new Map<number, Write>();
  const unseen = all.filter((ask) => isWrite(ask)).filter(({ exposed }) => !exposed);
  for (const ask of unseen.toSorted((a, b) => compareStamps(a.op.stamp, b.op.stamp))) {
    const [ticked, op] = restamp(next, ask, now);
    next = ticked;
    byId.set(ask.id, { ...ask, op });
  }
  const after = changed({ ...state, clock: next }, (ask) => byId.get(ask.id) ?? ask);
  return [after, [...byId.values()]];
}
