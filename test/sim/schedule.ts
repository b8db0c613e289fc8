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
    const job = { at: Math.max(time, this.now), turn: this.#turn++, run };
    let i = heap.length;
    while (i > 0) {
      const above = (i - 1) >>> 1;
      const parent = heap[above];
      if (!parent || !isBefore(job, parent)) break;
      heap[i] = parent;
      i = above;
    }
    heap[i] = job;
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
    if (heap.length > 0) this.#sink(last);
    this.now = job.at;
    job.run();
  }

  /** From the top. */
  #sink(job: Job): void {
    const heap = this.#heap;
    let i = 0;
    for (;;) {
      let at = 2 * i + 1;
      let child = heap[at];
      const other = heap[at + 1];
      if (child && other && isBefore(other, child)) {
        at++;
        child = other;
      }
      if (!child || !isBefore(child, job)) break;
      heap[i] = child;
      i = at;
    }
    heap[i] = job;
  }
}

const isBefore = (a: Job, b: Job): boolean => a.at < b.at || (a.at === b.at && a.turn < b.turn);
