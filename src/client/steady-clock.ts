/**
 * The machine's clock, except that it goes on where that is set back: whoever waits for a time would wait for it again, for as long as
 * the clock was set back by. How far the nodes' clock is from it stays as it was.
 */
export class SteadyClock {
  #wallMs = -Infinity;
  #tickMs = 0;
  #aheadMs = 0;

  /** `wallMs`: since 1970, as the machine says. `tickMs`: since any moment, which nobody can set. */
  read(wallMs: number, tickMs: number): number {
    if (wallMs < this.#wallMs)
      this.#aheadMs += Math.round(this.#wallMs - wallMs + tickMs - this.#tickMs);
    this.#wallMs = wallMs;
    this.#tickMs = tickMs;
    return wallMs + this.#aheadMs;
  }
}
