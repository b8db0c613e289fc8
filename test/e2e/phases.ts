/** How a move is kept in a phase: the disk of a part that the next phase needs takes no writes. */
import type { Phase } from "./disk.ts";

export type Part = "source" | "target" | "coordinator";

/** What a move goes through, in this order. */
export type Running = Exclude<Phase, "none">;

interface Keeper {
  /** Without its disk the move stays. */
  readonly part: Part;
  /** Does as well, where `part` itself is the victim of something else. */
  readonly other: Part;
}

const KEEPERS: Readonly<Record<Running, Keeper>> = {
  starting: { part: "source", other: "source" },
  copying: { part: "target", other: "source" },
  counts: { part: "coordinator", other: "source" },
  closing: { part: "target", other: "source" },
  ready: { part: "coordinator", other: "source" },
  finalizing: { part: "target", other: "coordinator" },
};

export const PARTS: readonly Part[] = ["source", "target", "coordinator"];
export const PHASES: readonly Running[] = [
  "starting",
  "copying",
  "counts",
  "closing",
  "ready",
  "finalizing",
];

/** From this phase on this part is held, and who was held before is not. */
type Stop = readonly [from: Phase, held: Part];

export const keeperOf = (phase: Running): Part => KEEPERS[phase].part;

/** Where a fault is to come, and how the move gets there and stays. */
export interface Way {
  readonly phase: Running;
  readonly stops: readonly Stop[];
}

/** At its end `spared` is not held, if that can be. */
export function wayTo(phase: Running, spared: Part | null = null): Way {
  const { part, other } = KEEPERS[phase];
  if (phase === "starting") return { phase, stops: [["none", part]] };
  if (phase === "copying") return { phase, stops: [["copying", part === spared ? other : part]] };
  // Copying ends only where something has been copied, so it is not held up before.
  const stops = PHASES.flatMap((next, i): readonly Stop[] => {
    const from = PHASES[i - 1];
    const onTheWay = from && from !== "starting" && i <= PHASES.indexOf(phase);
    return onTheWay ? [[from, KEEPERS[next].part]] : [];
  });
  return { phase, stops: part === spared ? [...stops, [phase, other]] : stops };
}
