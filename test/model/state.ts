/** A model at one moment, as a few numbers, and what its states have in common. */
import type { Budget } from "./world.ts";
import { FAULTS } from "./world.ts";
import type { Interner } from "./interner.ts";
import type { Locals } from "./locals.ts";
import { isMinted, NOW } from "./numbers.ts";

/** Never changes. */
export interface State {
  /** Numbers of images, the coordinator's first. */
  readonly images: readonly number[];
  /** Numbers of letters on their way, link by link, on each in the order in which they were sent. */
  readonly letters: readonly number[];
  /** Of those that have left their places, ascending: each may come at any time. */
  readonly late: readonly number[];
  /** Bits of what was not asked for yet, and of the writes that were acknowledged. */
  readonly unasked: number;
  readonly acked: number;
  readonly budget: Budget;
  /** A coordinator that has been replaced and does not know; -1: there is none. */
  readonly replaced: number;
  /** Whom nobody hears and who hears nobody; -1: there is none. */
  readonly cut: number;
  /** Bits of nodes that have lately shown the coordinator that they know its term. */
  readonly fresh: number;
  /** Bits of partitions whose owner may lack what its lost predecessor had acknowledged. */
  readonly behind: number;
}

/**
 * The state as numbers, the same for states that differ only in the names of things: what a counter is does not
 * matter, but which of two is greater does, and whether nothing lies between them.
 */
export class Names {
  readonly #locals: Locals;
  readonly #key: number[] = [];
  /** Each counter that was ever met has a number of its own; by it: when it was last met, and its rank then. */
  readonly #numbers = new Map<number, number>();
  readonly #values: number[] = [];
  readonly #metAt: number[] = [];
  readonly #ranks: number[] = [];
  readonly #known = new Map<Named, (readonly number[])[]>();
  #time = 0;
  /** The numbers of those that the state has, by what they count. */
  readonly #met: number[] = [];
  readonly #now: readonly number[];

  constructor(locals: Locals) {
    this.#locals = locals;
    this.#now = [this.#numberOf(NOW)];
  }

  /** Valid until the next. */
  keyOf(state: State): readonly number[] {
    const { images, letters, late, unasked, acked, budget, replaced } = state;
    const { cut, fresh, behind } = state;
    const { coordinators, nodes, letters: post } = this.#locals;
    this.#time++;
    this.#met.length = 0;
    this.#collect(this.#now);
    for (const [place, id] of images.entries())
      this.#collect(this.#countersOf(place === 0 ? coordinators : nodes, id));
    if (replaced >= 0) this.#collect(this.#countersOf(coordinators, replaced));
    for (const id of letters) this.#collect(this.#countersOf(post, id));
    for (const id of late) this.#collect(this.#countersOf(post, id));
    this.#rank();
    const key = this.#key;
    key.length = 0;
    key.push(unasked, acked, letters.length, late.length, cut, fresh, behind);
    for (const fault of FAULTS) key.push(budget[fault]);
    for (const [place, id] of images.entries())
      this.#append(key, place === 0 ? coordinators : nodes, id);
    if (replaced < 0) key.push(-1);
    else this.#append(key, coordinators, replaced);
    for (const id of letters) this.#append(key, post, id);
    const named = late.map((id) => this.#append([], post, id));
    for (const letter of named.toSorted(compareLists)) for (const n of letter) key.push(n);
    return key;
  }

  #numberOf(counter: number): number {
    const known = this.#numbers.get(counter);
    if (known !== undefined) return known;
    const number = this.#values.push(counter) - 1;
    this.#numbers.set(counter, number);
    this.#metAt.push(0);
    this.#ranks.push(0);
    return number;
  }

  #countersOf(interner: Named, id: number): readonly number[] {
    let all = this.#known.get(interner);
    if (!all) this.#known.set(interner, (all = []));
    return (all[id] ??= interner.countersOf(id).map((counter) => this.#numberOf(counter)));
  }

  /** They stay ascending, each once. */
  #collect(counters: readonly number[]): void {
    const [met, values, metAt] = [this.#met, this.#values, this.#metAt];
    for (const number of counters) {
      if (metAt[number] === this.#time) continue;
      metAt[number] = this.#time;
      const value = values[number] ?? 0;
      let at = met.length;
      for (; at > 0; at--) {
        const before = met[at - 1] ?? 0;
        if ((values[before] ?? 0) < value) break;
        met[at] = before;
      }
      met[at] = number;
    }
  }

  #append(key: number[], interner: Named, id: number): number[] {
    key.push(interner.shapeOf(id));
    for (const number of this.#countersOf(interner, id)) key.push(this.#ranks[number] ?? -1);
    return key;
  }

  /** From 0 up, 1 apart if the counters are, else 2; of what nodes count only the order matters. */
  #rank(): void {
    let [rank, last] = [0, NOW];
    for (const number of this.#met) {
      const value = this.#values[number] ?? 0;
      rank += Math.min(isMinted(value) ? 2 : 1, value - last);
      this.#ranks[number] = rank;
      last = value;
    }
  }
}

type Named = Pick<Interner<unknown>, "shapeOf" | "countersOf">;

function compareLists(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
