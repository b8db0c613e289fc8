/** Virtual time: a binary heap of jobs, ties in order of scheduling. */
interface Job {
  readonly at: number;
  readonly turn: number;
  readonly run: () => void;
}

/** Fifty nodes in a wild storm come to a fifth of it. */
const JOBS_MAX = 2_000_000;

export class Schedule {
  now = 1_000_000;
  #turn = 0;
  readonly #heap: Job[] = [];

  at(time: number, run: () => void): void {
    const heap = this.#heap;
    heap.push({ at: Math.max(time, this.now), turn: this.#turn++, run });
    let i = heap.length - 1;
    while (i > 0) {
      const parent = (i - 1) >>> 1;
      if (!this.#before(i, parent)) break;
      this.#swap(i, parent);
      i = parent;
    }
  }

  after(ms: number, run: () => void): void {
    this.at(this.now + ms, run);
  }

  /** False: there are so many jobs before that there may be no end to them. */
  runUntil(end: number): boolean {
    for (let jobs = 0; (this.#heap[0]?.at ?? Infinity) <= end; jobs++) {
      if (jobs === JOBS_MAX) return false;
      this.#runFirst();
    }
    return true;
  }

  #runFirst(): void {
    const heap = this.#heap;
    const [job] = heap;
    const last = heap.pop();
    if (!job || !last) return;
    if (heap.length > 0) {
      heap[0] = last;
      this.#sink();
    }
    this.now = job.at;
    job.run();
  }

  #sink(): void {
    const { length } = this.#heap;
    for (let i = 0; ;) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2])
        if (child < length && this.#before(child, least)) least = child;
      if (least === i) return;
      this.#swap(i, least);
      i = least;
    }
  }

  #before(i: number, j: number): boolean {
    const [a, b] = [this.#heap[i], this.#heap[j]];
    return !!a && !!b && (a.at - b.at || a.turn - b.turn) < 0;
  }
  #swap(i: number, j: number): void {
    const [a, b] = [this.#heap[i], this.#heap[j]];
    if (a && b) [this.#heap[i], this.#heap[j]] = [b, a];
  }
}
