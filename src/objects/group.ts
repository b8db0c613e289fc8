/**
 * Group commit: the first item is taken at once, items that come while its commit is under way wait and are
 * taken together. One fsync then serves many, and a lone item does not wait for a timer.
 *
 * It also lets sockets through: calls from object to object alone would keep the event loop of their process
 * from looking at any socket until the last of them is done, and here none goes on without a timer.
 */
export class Group<T> {
  readonly #take: (items: readonly T[]) => void;
  readonly #sizeMax: number;
  readonly #sizeOf: (item: T) => number;
  #waiting: T[] = [];
  #busy = false;

  constructor(take: (items: readonly T[]) => void, sizeMax: number, sizeOf: (item: T) => number) {
    this.#take = take;
    this.#sizeMax = sizeMax;
    this.#sizeOf = sizeOf;
  }

  add(item: T): void {
    if (this.#busy) {
      this.#waiting.push(item);
      return;
    }
    this.#busy = true;
    setTimeout(() => this.#next(), 0);
    this.#take([item]);
  }

  #next(): void {
    let size = 0;
    let count = 0;
    for (const item of this.#waiting) {
      size += this.#sizeOf(item);
      if (count > 0 && size > this.#sizeMax) break;
      count++;
    }
    if (count === 0) {
      this.#busy = false;
      return;
    }
    const items = this.#waiting.splice(0, count);
    setTimeout(() => this.#next(), 0);
    this.#take(items);
  }
}
