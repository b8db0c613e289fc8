/** A journal as people and tools are shown it. */
import type { Of, Row } from "../../data/row.ts";
import { err, ok, type Result } from "../../data/result.ts";
import { sequenceIn } from "../../data/sequence.ts";
import { makeError, type ErrorInfo } from "../../protocol/errors.ts";
import { entryOf, type Entry } from "../../protocol/journal.ts";
import { VALUE_BYTES_MAX } from "../../protocol/limits.ts";
import { decodeJson, encodeJson } from "../../protocol/values.ts";
import { CONFLICT, nameOf } from "./refusals.ts";

/** Of what was decided, so that a page of it fits an answer whatever goes around. */
const SHOWN_BYTES_MAX = VALUE_BYTES_MAX / 2;

interface Shown {
  /** `{ entries, next }`, as `encodeJson` makes it; `next`: the number to go on from, null: there are no more. */
  readonly value: Uint8Array;
  /** The number of the last entry in it. */
  readonly last: number;
}

/** At least one entry if there is one. `end`: the number of the last one that there is. */
export function shownOf(of: Of, rows: readonly Row[], end: number): Result<Shown, ErrorInfo> {
  const entries: object[] = [];
  let [bytes, last] = [0, 0];
  for (const row of rows) {
    const entry = entryOf(row);
    const sequence = sequenceIn(row.sub) ?? 0;
    if (!entry.ok) return err(makeError("ACTOR_CORRUPT", { ...nameOf(of), sequence }));
    bytes += row.value?.length ?? 0;
    if (entries.length > 0 && bytes > SHOWN_BYTES_MAX) break;
    entries.push(fitting(entry.value));
    last = sequence;
  }
  const next = last > 0 && last < end ? last + 1 : null;
  const value = encodeJson({ entries, next }, "entries");
  return value.ok ? ok({ value: value.value, last }) : value;
}

/** What is too large or too deep to be shown in a list with others' names is shown without what it says. */
function fitting(entry: Entry): object {
  const shown = entryShown(entry);
  if (encodeJson({ entries: [shown], next: entry.sequence }, "entries").ok) return shown;
  const { sequence, version, epoch, atMs, commandId } = entry;
  return { sequence, version, epoch, atMs, commandId, leftOut: true };
}

function entryShown({ sequence, epoch, version, atMs, commandId, outcome }: Entry): object {
  const entry = { sequence, version, epoch, atMs, commandId };
  if (outcome.type === "executed")
    return { ...entry, events: valueOf(outcome.events), reply: valueOf(outcome.reply) };
  const { refusal, reason } = outcome;
  if (refusal === CONFLICT) return { ...entry, events: [], refusal: "VERSION_CONFLICT", reason };
  return { ...entry, events: [], refusal, reason };
}

function valueOf(bytes: Uint8Array): unknown {
  const value = decodeJson(bytes, "value");
  return value.ok ? value.value : null;
}
