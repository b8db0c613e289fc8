/**
 * A list that is never changed and yet grows at its end without being copied: a longer list shares the elements of
 * the one that it was made from, which goes on to see its own only.
 */
export class Queue<T> {
  readonly length: number;
  readonly #items: T[];

  private constructor(items: T[], length: number) {
    this.#items = items;
    this.length = length;
  }

  static of<T>(items: readonly T[]): Queue<T> {
    return new Queue([...items], items.length);
  }

  first(): T | undefined {
    return this.length > 0 ? this.#items[0] : undefined;
  }

  with(added: readonly T[]): Queue<T> {
    // Somebody else has made another list from this one: its elements are there already.
    const items = this.#items.length === this.length ? this.#items : this.slice(0);
    for (const item of added) items.push(item);
    return new Queue(items, items.length);
  }

  slice(from: number, to: number = this.length): T[] {
    return this.#items.slice(from, Math.min(to, this.length));
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.slice(0).values();
  }
}
