/**
 * An entry takes the next number, is on disk here before it is sent, and counts when every complete copy has it. Nothing
 * waits for that but the answer: the next command is decided at once, and answers go out in the order of entries.
 */
import type { Row } from "../../data/row.ts";
import { makeError } from "../../protocol/errors.ts";
import { VALUE_BYTES_MAX } from "../../protocol/limits.ts";
import { entryRow } from "../../protocol/journal.ts";
import { Queue } from "../machine/queue.ts";
import type { Turn } from "../node/turn.ts";
import { holdBack, spread, waitOf } from "../partition/spread.ts";
import type { MergedBatch } from "../rows/effects.ts";
import { acknowledged } from "./acknowledge.ts";
import { newActivation, type Activation, type ActorName } from "./activation.ts";
import { activation, change, setActivation, tagOf } from "./actors.ts";
import { callsOf } from "./fail.ts";
import { nameOf, refused } from "./refusals.ts";
import { settle } from "../node/pending.ts";
import { read } from "./replay.ts";
import type { Appending } from "./tags.ts";

export function append(turn: Turn, name: ActorName, appending: Omit<Appending, "row">): void {
  const one = activation(turn, name);
  if (!one) return;
  const row = entryRow(one.of, turn.me, appending.entry);
  const bytes = row.value?.length ?? 0;
  if (bytes > VALUE_BYTES_MAX) return tooLarge(turn, name, one, bytes);
  const { partitionId } = name;
  const tag = { ...tagOf(turn, name), step: "append", ...appending, row } as const;
  const seq = turn.takeSeqs(1);
  turn.do({ type: "merge", batches: [{ partitionId, rows: [row], seq, fresh: true }], tag });
}

function tooLarge(turn: Turn, name: ActorName, { of, running }: Activation, bytes: number): void {
  change(turn, name, { running: null });
  const reason = `events and reply of one command take ${bytes} bytes, at most ${VALUE_BYTES_MAX} may be`;
  const result = refused(makeError("ACTOR_FAILED", { ...nameOf(of), reason }));
  if (running) settle(turn, running.call.id, [running.call.index], [result]);
}

export function onAppended(
  turn: Turn,
  name: ActorName,
  { n, row, entry, result, state, frozen }: Appending,
  batch: MergedBatch | undefined,
): void {
  const one = activation(turn, name);
  if (one?.running?.n !== n) return;
  // Somebody else's entry stands there, of the same epoch or a later one: what is known here is not what is.
  if (!batch?.outcomes[0]?.changed) return beginAnew(turn, name, one);
  const { call } = one.running;
  const { sequence, epoch, version, commandId } = entry;
  const ids = commandId === null ? one.ids : one.ids.with(commandId, sequence);
  change(turn, name, {
    running: null,
    state,
    version,
    sequence,
    lastEpoch: epoch,
    last: row,
    ids,
    frozen: one.frozen ?? (frozen && { ...frozen, sequence, epoch, version, ids }),
    outcomes: one.outcomes.with([{ call, sequence, confirm: 0, result }]),
  });
  send(turn, name, [row], n);
}

/** To every copy, and to be acknowledged when all have it; `n`: of the decision before it. */
export function send(turn: Turn, name: ActorName, rows: readonly Row[], n = 0): void {
  const one = activation(turn, name);
  if (!one) return;
  const { partitionId } = name;
  const { epoch, sequence } = one;
  // Of several that go out in one event each is behind what was sent before it.
  turn.takeSeqs(1);
  spread(turn, partitionId, rows);
  const waiter = { type: "entries", name, epoch, sequence, confirm: n } as const;
  const wait = waitOf(turn, partitionId, "backup");
  if (wait) holdBack(turn, partitionId, wait, waiter);
  else acknowledged(turn, waiter);
}

/** What was decided and not told yet is decided again, or found to be done. */
function beginAnew(turn: Turn, name: ActorName, one: Activation): void {
  const fresh = newActivation(one.of, one.epoch, turn.now);
  setActivation(turn, name, { ...fresh, mailbox: Queue.of(callsOf(one)) });
  read(turn, name, null);
}
