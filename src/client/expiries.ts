/** What expires, the soonest first: a binary heap (Williams, 1964). What was put in again counts twice, so ask whether it is still so. */

interface Expiry<T> {
  readonly at: number;
  readonly of: T;
}

/** There may be so many more times than there are entries, before those that count for nothing are cleared away. */
const MORE_MAX = 1_000;

export class Expiries<T> {
  #heap: Expiry<T>[] = [];

  /** Infinity: nothing expires. */
  get first(): number {
    return this.#heap[0]?.at ?? Infinity;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** `at` null: never. */
  add(at: number | null, of: T): void {
    if (at === null) return;
    const heap = this.#heap;
    let i = heap.length;
    for (let above = (i - 1) >> 1; i > 0; above = (i - 1) >> 1) {
      const parent = heap[above];
      if (!parent || parent.at <= at) break;
      heap[i] = parent;
      i = above;
    }
    heap[i] = { at, of };
  }

  /** All that is due by then. */
  *take(now: number): Iterable<T> {
    for (let [first] = this.#heap; first && first.at <= now; [first] = this.#heap) {
      const last = this.#heap.pop();
      if (last && this.#heap.length > 0) this.#sink(last);
      yield first.of;
    }
  }

  /** `all`: whatever may expire, of which there is so much; asked for where much more is kept here. */
  tidy(size: number, all: () => Iterable<Expiry<T>>): void {
    if (this.#heap.length <= 2 * size + MORE_MAX) return;
    this.#heap = [...all()].toSorted((a, b) => a.at - b.at);
  }

  /** From the top, where there is room. */
  #sink(last: Expiry<T>): void {
    const heap = this.#heap;
    let i = 0;
    for (;;) {
      const left = 2 * i + 1;
      const [one, other] = [heap[left], heap[left + 1]];
      const isOther = one !== undefined && other !== undefined && other.at < one.at;
      const next = isOther ? other : one;
      if (!next || next.at >= last.at) break;
      heap[i] = next;
      i = isOther ? left + 1 : left;
    }
    heap[i] = last;
  }
}
