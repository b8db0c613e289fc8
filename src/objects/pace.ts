/**
 * When an object may call others. Calls between objects of one process keep its event loop from looking at
 * sockets and timers for as long as any of them is under way, so all of them must fall silent together:
 * each object speaks in the first part of every period of the common clock, and listens in the rest.
 */
const PERIOD_MS = 10;
const SPEAK_MS = 7;

export class Pace {
  #silence: Promise<void> | null = null;

  /** Resolves when this object may speak, in the order of asking. */
  turn(): Promise<void> {
    const elapsed = Date.now() % PERIOD_MS;
    if (elapsed < SPEAK_MS) return this.#silence ?? Promise.resolve();
    this.#silence ??= this.#listen(PERIOD_MS - elapsed);
    return this.#silence;
  }

  async #listen(ms: number): Promise<void> {
    await new Promise((resume) => {
      setTimeout(resume, ms);
    });
    this.#silence = null;
  }
}
