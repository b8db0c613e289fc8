/** What follows one set or one counter. */
import type { Stamp } from "../data/hlc.ts";
import type { Seen } from "./live-view.ts";
import type { Change, Of, Outcome, Write } from "./machine/ask.ts";
import type { Untold, ViewChange } from "./view.ts";

/** A set or a counter. */
export interface Follower extends Seen {
  readonly of: Of;
  wrote(ask: Change): void;
  restamped(write: Write): void;
  settled(id: number, outcome: Outcome): void;
  /** Asks its owner about what nobody tells. */
  doubt(untold: Untold): Promise<void>;
}

export type Changed = (change: ViewChange) => void;

export interface Removal {
  /** Of what was there. */
  readonly tags: readonly Stamp[];
  /** Till then it is hidden. */
  readonly end: () => void;
}
