/** Lets client frames through between the chunks of a move: whichever comes first resumes it. */
const RESUME_AFTER_MS = 2;
const RESUME_AFTER_FRAMES = 4;

export class Pace {
  #waiting: { frames: number; resume: () => void }[] = [];

  yield(): Promise<void> {
    return new Promise((resume) => {
      const waiting = { frames: RESUME_AFTER_FRAMES, resume };
      this.#waiting.push(waiting);
      setTimeout(() => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        resume();
      }, RESUME_AFTER_MS);
    });
  }

  frames(count: number): void {
    if (this.#waiting.length === 0) return;
    for (const waiting of this.#waiting) {
      waiting.frames -= count;
      if (waiting.frames <= 0) waiting.resume();
    }
    this.#waiting = this.#waiting.filter(({ frames }) => frames > 0);
  }
}
