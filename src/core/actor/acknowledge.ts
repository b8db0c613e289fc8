/** Entries that the owner and every complete copy have: what rests on them can be told. */
import { VALUE_BYTES_MAX } from "../../protocol/limits.ts";
import { snapshotRow } from "../../protocol/journal.ts";
import { Queue } from "../machine/queue.ts";
import { settle } from "../node/pending.ts";
import type { Waiter } from "../node/requests.ts";
import type { Turn } from "../node/turn.ts";
import type { Activation, ActorName, Outcome } from "./activation.ts";
import { activation, change, tagOf } from "./actors.ts";
import { nameOf } from "./refusals.ts";

/** Whoever has an entry has those before it: they go the same way, in their order. */
export function acknowledged(
  turn: Turn,
  { name, sequence, confirm, epoch }: Omit<Extract<Waiter, { type: "entries" }>, "type">,
): void {
  const one = activation(turn, name);
  if (one?.epoch !== epoch || one.phase !== "live") return;
  const mark = Math.max(one.mark, sequence);
  const confirmed = Math.max(one.confirmed, confirm);
  const outcomes = [...one.outcomes];
  const open = outcomes.findIndex((outcome) => !rests({ mark, confirmed }, outcome));
  const told = open < 0 ? outcomes : outcomes.slice(0, open);
  change(turn, name, { mark, confirmed, outcomes: Queue.of(outcomes.slice(told.length)) });
  for (const outcome of told) answer(turn, outcome);
  takeSnapshot(turn, name);
}

/** On nothing that is not acknowledged. */
const rests = (
  { mark, confirmed }: Pick<Activation, "mark" | "confirmed">,
  { sequence, confirm }: Outcome,
): boolean => sequence <= mark && confirm <= confirmed;

/** At once if it rests on nothing that is not acknowledged. */
export function tell(turn: Turn, name: ActorName, outcome: Outcome): void {
  const one = activation(turn, name);
  if (!one || rests(one, outcome)) return answer(turn, outcome);
  change(turn, name, { outcomes: one.outcomes.with([outcome]) });
}

const answer = (turn: Turn, { call, result }: Outcome): void =>
  settle(turn, call.id, [call.index], [result]);

/** Of acknowledged entries only: these never change, so of two snapshots the later one knows more. */
function takeSnapshot(turn: Turn, name: ActorName): void {
  const one = activation(turn, name);
  const { frozen = null } = one ?? {};
  if (!one || !frozen || frozen.sequence > one.mark) return;
  change(turn, name, { frozen: null, snapshotAt: frozen.sequence });
  const { state, ids } = frozen;
  const row = state && snapshotRow(one.of, turn.me, { ...frozen, state, ids: ids.list() });
  if (!row || (row.value?.length ?? 0) > VALUE_BYTES_MAX) {
    const notice = { type: "snapshot-too-large", ...nameOf(one.of) } as const;
    return turn.do({ type: "notice", notice: { ...notice, sequence: frozen.sequence } });
  }
  const { partitionId } = name;
  const batches = [{ partitionId, rows: [row], seq: turn.takeSeqs(1) }];
  turn.do({ type: "merge", batches, tag: { ...tagOf(turn, name), step: "snapshot", row } });
}
