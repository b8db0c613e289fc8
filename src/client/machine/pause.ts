import { PAUSE_MS_MIN } from "../limits.ts";

/** Full jitter: anything from 0 to a ceiling that doubles with each attempt. `chance` in [0, 1). */
export const pauseMs = (attempt: number, chance: number, maxMs: number): number =>
  Math.floor(chance * Math.min(maxMs, PAUSE_MS_MIN * 2 ** Math.min(attempt, 20)));
