/** An owner asks whether what it knows of a partition still stands, before it forgets what was deleted there. */
import type { Confirm, Sender } from "../../protocol/cluster-messages.ts";
import type { CallId } from "../machine/cluster-event.ts";
import { hasStrays } from "./moves.ts";
import type { Entry } from "./state.ts";
import type { CoordinatorTurn } from "./turn.ts";

export function onConfirm(
  turn: CoordinatorTurn,
  from: Sender,
  { partitionId, epoch }: Confirm,
  call: CallId | null,
): void {
  const entry = turn.entries.get(partitionId);
  if (!entry) return turn.answer(call, { type: "DONE" });
  const { ruling } = entry;
  if (ruling.owner !== from || ruling.epoch !== epoch)
    return turn.answer(call, { type: "RULING", ruling });
  turn.answer(call, { type: "CONFIRMED", partitionId, epoch, sole: isSole(turn, entry) });
}

/**
 * Nobody but the owner and its complete copies holds a row, nor will by what is under way. A restored coordinator may
 * not know all who do; and who was evicted must not be taken for a member by whoever owns the partition next.
 */
function isSole({ cluster, view }: CoordinatorTurn, entry: Entry): boolean {
  const { ruling, move } = entry;
  const isStill = move === null && ruling.copies.every(({ state }) => state === "complete");
  const isSettled = cluster.unheard === null && cluster.merge === null;
  return isStill && !hasStrays(entry) && isSettled && cluster.pushed.view >= view.version;
}
