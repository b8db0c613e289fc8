/**
 * A map from whole numbers of which every change makes a new one, sharing nearly everything with the one before.
 * With tens of thousands of entries, copying a `Map` for each of them would be quadratic.
 */

const WIDTH = 256;

type Entry<K, V> = readonly [K, V];
/** Nearly always one entry: numbers that are given out in order have a place of their own, up to 65,536 of them. */
type Place<K, V> = readonly Entry<K, V>[];
type Shelf<K, V> = readonly Place<K, V>[];

export class Ledger<K extends number, V> {
  readonly size: number;
  readonly #shelves: readonly Shelf<K, V>[];

  private constructor(size: number, shelves: readonly Shelf<K, V>[]) {
    this.size = size;
    this.#shelves = shelves;
  }

  static empty<K extends number, V>(): Ledger<K, V> {
    const shelf: Shelf<K, V> = Array.from({ length: WIDTH }, () => []);
    return new Ledger<K, V>(
      0,
      Array.from({ length: WIDTH }, () => shelf),
    );
  }

  get(key: K): V | undefined {
    return this.#place(key).find(([known]) => known === key)?.[1];
  }

  with(key: K, value: V): Ledger<K, V> {
    const others = this.#place(key).filter(([known]) => known !== key);
    return this.#replaced(key, [...others, [key, value]]);
  }

  without(key: K): Ledger<K, V> {
    const place = this.#place(key);
    const others = place.filter(([known]) => known !== key);
    return others.length < place.length ? this.#replaced(key, others) : this;
  }

  /** In the order of their numbers, as long as these are less than 65,536 apart. */
  *[Symbol.iterator](): Generator<Entry<K, V>> {
    if (this.size === 0) return;
    for (const shelf of this.#shelves) for (const place of shelf) yield* place;
  }

  #place(key: K): Place<K, V> {
    return this.#shelves[shelfOf(key)]?.[key % WIDTH] ?? [];
  }

  #replaced(key: K, place: Place<K, V>): Ledger<K, V> {
    const shelf = this.#shelves[shelfOf(key)] ?? [];
    const size = this.size - this.#place(key).length + place.length;
    const shelves = replaced(this.#shelves, shelfOf(key), replaced(shelf, key % WIDTH, place));
    return new Ledger(size, shelves);
  }
}

const shelfOf = (key: number): number => Math.floor(key / WIDTH) % WIDTH;

/** Faster than `with`, which goes through the elements one by one. */
function replaced<T>(list: readonly T[], at: number, value: T): readonly T[] {
  const copy = list.slice();
  copy[at] = value;
  return copy;
}
