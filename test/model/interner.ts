import { write } from "./text.ts";

/**
 * Equal values get one number. What a value is but for what its counters are, which of them are equal and which
 * greater, is its shape, which has a number of its own.
 */
export class Interner<T> {
  readonly #values: T[] = [];
  readonly #shapes: number[] = [];
  readonly #counters: (readonly number[])[] = [];
  readonly #known = new Map<string, number>();
  readonly #shapeOf = new Map<string, number>();

  intern(value: T): number {
    const { text, counters } = write(value);
    const key = `${text}${counters.join()}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const id = this.#values.push(value) - 1;
    const distinct = [...new Set(counters)].toSorted((a, b) => a - b);
    const form = `${text}${counters.map((counter) => distinct.indexOf(counter)).join()}`;
    const shape = this.#shapeOf.get(form) ?? this.#shapeOf.size;
    this.#shapeOf.set(form, shape);
    this.#shapes.push(shape);
    this.#counters.push(distinct);
    this.#known.set(key, id);
    return id;
  }

  get(id: number): T {
    const value = this.#values[id];
    if (value === undefined) throw new Error(`nothing has the number ${id}`);
    return value;
  }

  shapeOf(id: number): number {
    return this.#shapes[id] ?? -1;
  }

  /** Each once, ascending. */
  countersOf(id: number): readonly number[] {
    return this.#counters[id] ?? [];
  }

  get size(): number {
    return this.#values.length;
  }
}
