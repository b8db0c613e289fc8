/**
 * An actor comes to be in memory: its last snapshot, and the entries since. Of these count as many as follow each other
 * without a gap and without an epoch below one before it: whatever comes behind was never acknowledged, and its number will
 * be given again. If something behind was acknowledged by its own word, an entry is missing here, and nobody is answered.
 *
 * Then, the opening: what may not be acknowledged yet goes to all copies again, under the epoch of this owner. So nothing
 * that this owner answers rests on what an earlier one might still take back.
 */
import { compareStamps } from "../../data/hlc.ts";
import type { Row } from "../../data/row.ts";
import { sequenceIn } from "../../data/sequence.ts";
import { makeError, type ErrorInfo } from "../../protocol/errors.ts";
import { entryOf, reEntered, snapshotOf, type Snapshot } from "../../protocol/journal.ts";
import type { Turn } from "../node/turn.ts";
import type { MergedBatch } from "../rows/effects.ts";
import type { JournalRead } from "../rows/journal.ts";
import { newActivation, NOTHING_READ, type Activation, type ActorName } from "./activation.ts";
import { activation, change, setActivation, tagOf } from "./actors.ts";
import { CommandIds } from "./command-ids.ts";
import type { ActorEvent, ReplayEffect } from "./effects.ts";
import { fail } from "./fail.ts";
import { nameOf } from "./refusals.ts";

/** `after`: this entry; null: from the last snapshot on. */
export function read(turn: Turn, name: ActorName, after: number | null): void {
  const one = activation(turn, name);
  if (!one) return;
  const { partitionId } = name;
  const tag = { ...tagOf(turn, name), step: "read" } as const;
  turn.do({ type: "read-journal", partitionId, of: one.of, after, tag });
}

export function onRead(turn: Turn, name: ActorName, { snapshot, ...page }: JournalRead): void {
  const one = activation(turn, name);
  if (one?.phase !== "replaying") return;
  const base = snapshot && snapshotOf(snapshot);
  if (!base) return pass(turn, name, { one, base: null, page });
  if (base.ok) return pass(turn, name, { one, base: base.value, page });
  withoutSnapshot(turn, name, snapshot?.stamp.millis ?? 0);
}

interface Passing {
  readonly one: Activation;
  readonly base: Snapshot | null;
  readonly page: Pick<JournalRead, "entries" | "done">;
}

function pass(turn: Turn, name: ActorName, { one, base, page: { entries, done } }: Passing): void {
  const page = new Page(base ? basedOn(one, base) : one);
  for (const row of entries) if (page.pass(row)) return corrupt(turn, name, one, row);
  setActivation(turn, name, page.end());
  const last = done ? undefined : entries.at(-1);
  const after = last ? sequenceIn(last.sub) : null;
  const tag = { ...tagOf(turn, name), step: "replay", after, isBased: base !== null } as const;
  turn.do({ type: "replay", of: one.of, from: fromOf(one, base), events: page.events, tag });
}

type From = ReplayEffect<unknown>["from"];

function fromOf({ state, sequence }: Activation, base: Snapshot | null): From {
  if (base) return { type: "snapshot", ...base };
  return sequence === 0 ? { type: "initial" } : { type: "state", state };
}

function basedOn(one: Activation, snapshot: Snapshot): Activation {
  const { sequence, epoch, version, ids } = snapshot;
  const at = { sequence, lastEpoch: epoch, version, mark: sequence, snapshotAt: sequence };
  return { ...one, ...at, ids: CommandIds.of(ids) };
}

/** Of entries, as they are passed. */
class Page {
  readonly events: Uint8Array[] = [];
  #one: Activation;
  #mark: number;
  #ids: CommandIds;
  #brokenAt: number | null;
  readonly #tail: Row[];

  constructor(one: Activation) {
    this.#one = one;
    this.#mark = one.mark;
    this.#ids = one.ids;
    this.#brokenAt = one.reading.brokenAt;
    this.#tail = [...one.reading.tail];
  }

  /** True: it counts, and cannot be read. */
  pass(row: Row): boolean {
    const entry = entryOf(row);
    const { sequence, lastEpoch } = this.#one;
    const isLater = row.stamp.millis >= lastEpoch;
    // What an earlier owner knew to be acknowledged is before this, or was given up by force.
    if (entry.ok && isLater) this.#mark = Math.max(this.#mark, entry.value.mark);
    const follows = sequenceIn(row.sub) === sequence + 1 && isLater;
    if (!follows) this.#brokenAt ??= sequence + 1;
    if (this.#brokenAt !== null) return false;
    if (!entry.ok) return true;
    const { version, commandId, outcome, epoch } = entry.value;
    this.#one = { ...this.#one, sequence: sequence + 1, version, lastEpoch: epoch, last: row };
    if (commandId !== null) this.#ids = this.#ids.with(commandId, sequence + 1);
    if (outcome.type === "executed") this.events.push(outcome.events);
    this.#tail.push(row);
    return false;
  }

  end(): Activation {
    const mark = this.#mark;
    const tail = this.#tail.filter(({ sub }) => (sequenceIn(sub) ?? 0) > mark);
    const reading = { tail, brokenAt: this.#brokenAt };
    return { ...this.#one, mark, ids: this.#ids, reading };
  }
}

function corrupt(turn: Turn, name: ActorName, { of }: Activation, { sub }: Row): void {
  const sequence = sequenceIn(sub) ?? 0;
  fail(turn, name, makeError("ACTOR_CORRUPT", { ...nameOf(of), sequence }));
}

/** It cannot be read, or is of another schema. Up to its number all entries were acknowledged. */
function withoutSnapshot(turn: Turn, name: ActorName, mark: number): void {
  const one = activation(turn, name);
  if (!one) return;
  turn.do({
    type: "notice",
    notice: { type: "snapshot-left-out", ...nameOf(one.of), sequence: mark },
  });
  const { of, epoch, mailbox } = one;
  setActivation(turn, name, { ...newActivation(of, epoch, turn.now), mailbox, mark });
  read(turn, name, 0);
}

export function onReplayed(
  turn: Turn,
  name: ActorName,
  { after, isBased }: { readonly after: number | null; readonly isBased: boolean },
  { outcome }: Extract<ActorEvent<unknown>, { type: "replayed" }>,
): void {
  const one = activation(turn, name);
  if (one?.phase !== "replaying") return;
  if ("error" in outcome) {
    const isOfSnapshot = isBased && outcome.error.code === "ACTOR_FAILED";
    if (isOfSnapshot) return withoutSnapshot(turn, name, one.snapshotAt);
    return fail(turn, name, outcome.error);
  }
  change(turn, name, { state: outcome.state });
  if (after !== null) read(turn, name, after);
  else reenter(turn, name);
}

function reenter(turn: Turn, name: ActorName): void {
  const one = activation(turn, name);
  if (!one) return;
  const error = incompleteness(one);
  if (error) return fail(turn, name, error);
  const { partitionId } = name;
  const rows = one.reading.tail.map((row) => reEntered(row, one.epoch, turn.me));
  if (rows.length === 0) return change(turn, name, { phase: "live" });
  const batches = [{ partitionId, rows, seq: turn.takeSeqs(rows.length) }];
  turn.do({ type: "merge", batches, tag: { ...tagOf(turn, name), step: "reenter", rows } });
}

function incompleteness({ of, sequence, mark, lastEpoch, epoch }: Activation): ErrorInfo | null {
  const isWhole = mark <= sequence && lastEpoch <= epoch;
  return isWhole ? null : makeError("ACTOR_INCOMPLETE", { ...nameOf(of), sequence: sequence + 1 });
}

/** True: they stand under this owner's epoch, and go out. */
export function onReentered(
  turn: Turn,
  name: ActorName,
  rows: readonly Row[],
  batch: MergedBatch | undefined,
): boolean {
  const one = activation(turn, name);
  if (one?.phase !== "replaying") return false;
  const stands = (row: Row, i: number): boolean => {
    const outcome = batch?.outcomes[i];
    return outcome !== undefined && compareStamps(outcome.stamp, row.stamp) === 0;
  };
  if (!rows.every(stands)) {
    fail(turn, name, makeError("ACTOR_INCOMPLETE", { ...nameOf(one.of), sequence: one.sequence }));
    return false;
  }
  const reading = NOTHING_READ;
  const last = rows.at(-1) ?? one.last;
  change(turn, name, { phase: "live", lastEpoch: one.epoch, last, reading });
  return true;
}
