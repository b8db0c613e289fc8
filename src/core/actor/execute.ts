/** What came of a command: its entry, and what whoever sent it is told once that is acknowledged. */
import { makeError } from "../../protocol/errors.ts";
import { sequenceIn } from "../../data/sequence.ts";
import { entryOf, type Entry } from "../../protocol/journal.ts";
import type { ReadResult } from "../../protocol/ops.ts";
import { settle } from "../node/pending.ts";
import type { ReadBatch } from "../rows/effects.ts";
import type { JournalRead } from "../rows/journal.ts";
import type { Turn } from "../node/turn.ts";
import { tell } from "./acknowledge.ts";
import type { Activation, ActorName, Call } from "./activation.ts";
import { activation, change } from "./actors.ts";
import { append, send } from "./append.ts";
import type { Decided } from "./effects.ts";
import { CONFLICT, nameOf, refused, resultOf } from "./refusals.ts";
import { shownOf } from "./shown.ts";

interface Decision {
  readonly n: number;
  readonly call: Call;
  readonly outcome: Exclude<Decided, { type: "failed" }>;
}

/** Null: that decision is over, and this answer comes too late. */
function runningAs(turn: Turn, name: ActorName, n: number): Activation | null {
  const one = activation(turn, name);
  return one?.running?.n === n ? one : null;
}

export function onDecided(turn: Turn, name: ActorName, n: number, outcome: Decided): void {
  const one = runningAs(turn, name, n);
  if (!one?.running) return;
  const { call } = one.running;
  if (outcome.type === "failed") return giveUp(turn, name, refused(outcome.error));
  const commandId = call.op.type === "call" ? call.op.commandId : null;
  if (commandId === null) answer(turn, name, one, { n, call, outcome });
  else execute(turn, name, one, { n, call, commandId, outcome });
}

/** It is at another version than the command is for. */
export function conflict(
  turn: Turn,
  name: ActorName,
  { n, attempted }: { readonly n: number; readonly attempted: number },
): void {
  const outcome = { type: "declined", refusal: CONFLICT, reason: String(attempted) } as const;
  onDecided(turn, name, n, outcome);
}

/** Nothing came of it, and it may come again. */
export function giveUp(turn: Turn, name: ActorName, result: ReadResult): void {
  const call = activation(turn, name)?.running?.call;
  change(turn, name, { running: null });
  if (call) settle(turn, call.id, [call.index], [result]);
}

function execute(
  turn: Turn,
  name: ActorName,
  one: Activation,
  { n, commandId, outcome }: Decision & { readonly commandId: string },
): void {
  const entry = nextEntry(turn, one, commandId, outcome);
  const { state, frozen } = { state: one.state, frozen: null, ...outcome };
  append(turn, name, { n, entry, result: resultOf(one.of, entry), state, frozen });
}

function nextEntry(
  turn: Turn,
  { sequence, epoch, mark, version }: Activation,
  commandId: string | null,
  outcome: Decision["outcome"],
): Entry {
  const facts = { sequence: sequence + 1, epoch, atMs: turn.now, mark, commandId };
  if (outcome.type === "declined") return { ...facts, version, outcome };
  const { events, reply, count } = outcome;
  return { ...facts, version: version + count, outcome: { type: "executed", events, reply } };
}

/**
 * To a question. What an earlier owner has left and nobody was told of yet could still take effect: unless this owner has an
 * entry of its own, it makes one first. Else its last one goes to the copies once more: whoever gets an answer from all of them
 * was owner when it was asked, whatever its clock says.
 */
function answer(
  turn: Turn,
  name: ActorName,
  one: Activation,
  { n, call, outcome }: Decision,
): void {
  const { of, sequence, lastEpoch, epoch, state, last } = one;
  if (outcome.type === "executed" && outcome.count > 0) {
    const facts = { ...nameOf(of), events: outcome.count };
    return giveUp(turn, name, refused(makeError("COMMAND_WITHOUT_ID", facts)));
  }
  const entry = nextEntry(turn, one, null, outcome);
  const result = resultOf(of, entry);
  if (lastEpoch < epoch || !last)
    return append(turn, name, { n, entry, result, state, frozen: null });
  const outcomes = one.outcomes.with([{ call, sequence, confirm: n, result }]);
  change(turn, name, { running: null, outcomes });
  send(turn, name, [last], n);
}

/** A command that was executed before. */
export function onRecalled(
  turn: Turn,
  name: ActorName,
  { n, sequence }: { readonly n: number; readonly sequence: number },
  [batch]: readonly ReadBatch[],
): void {
  const one = runningAs(turn, name, n);
  if (!one?.running) return;
  const { call } = one.running;
  const row = batch?.rows[0];
  const entry = row && row !== "not read" ? entryOf(row) : null;
  const corrupt = makeError("ACTOR_CORRUPT", { ...nameOf(one.of), sequence });
  if (!entry?.ok) return giveUp(turn, name, refused(corrupt));
  change(turn, name, { running: null });
  tell(turn, name, { call, sequence, confirm: 0, result: resultOf(one.of, entry.value) });
}

/** What stands in its journal, as far as that was acknowledged by the time that it is told. */
export function onListed(turn: Turn, name: ActorName, n: number, { entries }: JournalRead): void {
  const one = runningAs(turn, name, n);
  if (!one?.running) return;
  const { call } = one.running;
  const { of, version, sequence } = one;
  const limit = call.op.type === "events" ? call.op.limit : 0;
  // What an earlier owner has left behind the last entry counts for nothing.
  const rows = entries.filter((row) => (sequenceIn(row.sub) ?? 0) <= sequence);
  const shown = shownOf(of, rows.slice(0, limit), sequence);
  change(turn, name, { running: null });
  if (!shown.ok)
    return tell(turn, name, { call, sequence: 0, confirm: 0, result: refused(shown.error) });
  const { value, last } = shown.value;
  tell(turn, name, { call, sequence: last, confirm: 0, result: { type: "reply", version, value } });
}
