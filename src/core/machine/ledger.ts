/**
 * A map from whole numbers of which every change makes a new one, sharing nearly everything with the one before.
 * With tens of thousands of entries, copying a `Map` for each of them would be quadratic.
 */

const WIDTH = 256;

type Entry<K, V> = readonly [K, V];
/** Nearly always one entry: numbers that are given out in order have a place of their own, up to 65,536 of them. */
type Place<K, V> = readonly Entry<K, V>[];
interface Shelf<K, V> {
  readonly size: number;
  readonly places: readonly Place<K, V>[];
}

const EMPTY: Shelf<never, never> = { size: 0, places: Array.from({ length: WIDTH }, () => []) };

export class Ledger<K extends number, V> {
  readonly size: number;
  readonly #shelves: readonly Shelf<K, V>[];

  private constructor(size: number, shelves: readonly Shelf<K, V>[]) {
    this.size = size;
    this.#shelves = shelves;
  }

  static empty<K extends number, V>(): Ledger<K, V> {
    return new Ledger<K, V>(
      0,
      Array.from({ length: WIDTH }, () => EMPTY),
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

  /** The same entries come in the same order, which is not that of their numbers. */
  *[Symbol.iterator](): Generator<Entry<K, V>> {
    let left = this.size;
    for (const { size, places } of this.#shelves) {
      if (left === 0) return;
      if (size > 0) yield* entriesOf(places, size);
      left -= size;
    }
  }

  #place(key: K): Place<K, V> {
    return this.#shelves[shelfOf(key)]?.places[key % WIDTH] ?? [];
  }

  #replaced(key: K, place: Place<K, V>): Ledger<K, V> {
    const shelf = this.#shelves[shelfOf(key)] ?? EMPTY;
    const more = place.length - this.#place(key).length;
    const places = replaced(shelf.places, key % WIDTH, place);
    const size = shelf.size + more;
    const changed = size > 0 ? { size, places } : EMPTY;
    return new Ledger(this.size + more, replaced(this.#shelves, shelfOf(key), changed));
  }
}

function* entriesOf<K, V>(places: readonly Place<K, V>[], size: number): Generator<Entry<K, V>> {
  let left = size;
  for (const place of places) {
    if (left === 0) return;
    if (place.length > 0) yield* place;
    left -= place.length;
  }
}

const shelfOf = (key: number): number => Math.floor(key / WIDTH) % WIDTH;

/** Faster than `with`, which goes through the elements one by one. */
function replaced<T>(list: readonly T[], at: number, value: T): readonly T[] {
  const copy = list.slice();
  copy[at] = value;
  return copy;
}
