/** What follows from the answer to a frame, for each of its operations. */
import { COUNT_STAMP } from "../../data/count-stamp.ts";
import type { ErrorInfo } from "../../protocol/errors.ts";
import { unanswered, type GridErrorInfo } from "../errors.ts";
import { isWrite, type Ask, type Outcome, type Settled } from "./ask.ts";
import type { Flight } from "./line.ts";
import { exposed, placeOf, type Outbox } from "./outbox-state.ts";
import type { Place } from "./router.ts";
import { hear, type WriterClock } from "./writer-clock.ts";

export type Answer =
  /** One for each operation of the frame. */
  | { readonly type: "results"; readonly outcomes: readonly Outcome[] }
  /** All but these are stored. */
  | { readonly type: "stored-but"; readonly exceptions: ReadonlyMap<number, Outcome> }
  | { readonly type: "refused"; readonly error: ErrorInfo };

export interface Landing {
  readonly place: Place;
  readonly answer: Answer;
  readonly now: number;
}

interface Sorted {
  clock: WriterClock;
  readonly all: Settled[];
  /** At once, to an owner that the map names by now. */
  readonly again: Ask[];
  readonly resting: Ask[];
  astray: boolean;
  drifted: { readonly aheadMs: number } | null;
}

export function sortOut(state: Outbox, { asks }: Flight, { answer, now, place }: Landing): Sorted {
  const sorted: Sorted = {
    clock: state.clock,
    all: [],
    again: [],
    resting: [],
    astray: false,
    drifted: null,
  };
  for (const [i, ask] of asks.entries()) {
    const outcome = outcomeOf(ask, answer, i);
    if (outcome.type !== "refused") {
      if ("stamp" in outcome && outcome.stamp) sorted.clock = hear(sorted.clock, outcome.stamp);
      sorted.all.push({ ask, outcome });
    } else sortRefused(state, sorted, { ask, error: outcome.error, now, place });
  }
  return sorted;
}

function outcomeOf(ask: Ask, answer: Answer, index: number): Outcome {
  if (answer.type === "refused") return answer;
  const outcome = answer.type === "results" ? answer.outcomes[index] : answer.exceptions.get(index);
  if (outcome) return outcome;
  if (ask.kind !== "read" && answer.type === "stored-but")
    return { type: "stored", stamp: isWrite(ask) ? ask.op.stamp : COUNT_STAMP };
  return { type: "refused", error: unanswered() };
}

interface Refused {
  readonly ask: Ask;
  readonly error: GridErrorInfo;
  readonly now: number;
  readonly place: Place;
}

function sortRefused(state: Outbox, sorted: Sorted, { ask, error, now, place }: Refused): void {
  if (error.code === "NOT_OWNER") return sortSentBack(state, sorted, ask, { now, place });
  if (error.code === "CLOCK_DRIFT" && isWrite(ask) && !ask.exposed && !ask.drifted) {
    // Whoever refuses it has not stored it, and nobody else has seen it.
    sorted.drifted = { aheadMs: ask.op.stamp.millis - Number(error.data["aheadMs"]) - now };
    return void sorted.again.push({ ...ask, drifted: true });
  }
  const refused = { times: (ask.refused?.times ?? 0) + 1, since: ask.refused?.since ?? now };
  const patient = now - refused.since <= state.patienceMs;
  if (error.retry === "never" || !patient)
    return void sorted.all.push({ ask, outcome: { type: "refused", error } });
  sorted.resting.push({ ...exposed(ask), refused });
}

/** Once by each map; two nodes that name each other would have it to and fro without a pause. */
function sortSentBack(
  state: Outbox,
  sorted: Sorted,
  ask: Ask,
  { now, place }: Pick<Landing, "now" | "place">,
): void {
  const { version } = state.routes;
  if (placeOf(state, ask) !== place && ask.redirectedAt !== version)
    return void sorted.again.push({ ...ask, redirectedAt: version });
  sorted.astray = true;
  const refused = { times: (ask.refused?.times ?? 0) + 1, since: now };
  sorted.resting.push({ ...ask, refused });
}
