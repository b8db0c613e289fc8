/** One timer, for the earliest of the times it is set to. */
import { ALARM_MS_MAX } from "./subscription-limits.ts";

export class Alarm {
  readonly #ring: () => void;
  #at = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `ring`: may be called too early, so it looks what is due, and sets it again. */
  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /** `at`, `now`: milliseconds of one clock. Infinity: nothing more than before. */
  set(at: number, now: number): void {
    if (at >= this.#at) return;
    clearTimeout(this.#timer);
    this.#at = at;
    this.#timer = setTimeout(
      () => {
        this.#at = Infinity;
        this.#ring();
      },
      Math.min(Math.max(0, at - now), ALARM_MS_MAX),
    );
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#at = Infinity;
  }
}
