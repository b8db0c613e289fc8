/** When the client's clock turns out to be wrong. */
import { isAhead, type Stamp } from "../../data/hlc.ts";
import { isWrite, type Ask, type Write } from "./ask.ts";
import { changed, everything, underWay, type Outbox } from "./outbox-state.ts";
import { corrected, restamp } from "./writer-clock.ts";

/** Gives new stamps, in the order of the calls, to all that no node can have. */
export function restampAll(
  state: Outbox,
  aheadMs: number,
  now: number,
): readonly [Outbox, readonly Write[]] {
  const all = everything(state);
  let next = corrected(state.clock, aheadMs, acceptable(state, all, now + aheadMs));
  const byId = new Map<number, Write>();
  for (const ask of all.toSorted((a, b) => a.id - b.id)) {
    if (!isWrite(ask) || ask.exposed) continue;
    const [ticked, op] = restamp(next, ask, now);
    next = ticked;
    byId.set(ask.id, { ...ask, op });
  }
  const after = changed({ ...state, clock: next }, (ask) => byId.get(ask.id) ?? ask);
  return [after, [...byId.values()]];
}

/** Stamps that some node may have: not those of a future that every node refuses. */
function acceptable(state: Outbox, waiting: readonly Ask[], nowThere: number): readonly Stamp[] {
  const seen = [...underWay(state), ...waiting.filter((ask) => isWrite(ask) && ask.exposed)];
  return seen
    .flatMap((ask) => (isWrite(ask) ? [ask.op.stamp] : []))
    .filter((stamp) => !isAhead(stamp, nowThere));
}
