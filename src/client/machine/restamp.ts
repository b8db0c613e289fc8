/** When the client's clock turns out to be wrong. */
import { compareStamps, formatStamp, isAhead, type Stamp } from "../../data/hlc.ts";
import { isWrite, type Ask, type Write } from "./ask.ts";
import { changed, everything, underWay, type Outbox } from "./outbox-state.ts";
import { corrected, restamp } from "./writer-clock.ts";

/** Gives new stamps, in the order of those they have, to all that no node can have. A removal names adds by these. */
export function restampAll(
  state: Outbox,
  aheadMs: number,
  now: number,
): readonly [Outbox, readonly Write[]] {
  const all = everything(state);
  let next = corrected(state.clock, aheadMs, acceptable(state, all, now + aheadMs));
  const byId = new Map<number, Write>();
  const renamed = new Map<string, Stamp>();
  const unseen = all.filter((ask) => isWrite(ask)).filter(({ exposed }) => !exposed);
  for (const ask of unseen.toSorted((a, b) => compareStamps(a.op.stamp, b.op.stamp))) {
    const [ticked, op] = restamp(next, ask, now);
    next = ticked;
    if (op.type === "add") renamed.set(formatStamp(ask.op.stamp), op.stamp);
    byId.set(ask.id, { ...ask, op });
  }
  const after = changed({ ...state, clock: next }, (ask) =>
    retagged(byId.get(ask.id) ?? ask, renamed),
  );
  return [after, [...byId.values()]];
}

function retagged(ask: Ask, renamed: ReadonlyMap<string, Stamp>): Ask {
  if (!isWrite(ask) || ask.op.type !== "remove" || !ask.op.tags) return ask;
  const tags = ask.op.tags.map((tag) => renamed.get(formatStamp(tag)) ?? tag);
  return { ...ask, op: { ...ask.op, tags } };
}

/** Stamps that some node may have: not those of a future that every node refuses. */
function acceptable(state: Outbox, waiting: readonly Ask[], nowThere: number): readonly Stamp[] {
  const seen = [...underWay(state), ...waiting.filter((ask) => isWrite(ask) && ask.exposed)];
  return seen
    .flatMap((ask) => (isWrite(ask) ? [ask.op.stamp] : []))
    .filter((stamp) => !isAhead(stamp, nowThere));
}
