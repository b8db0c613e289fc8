/** A model at one moment, as a few numbers, and what its states have in common. */
import type { Budget } from "./world.ts";
import { FAULTS } from "./world.ts";
import type { Interner } from "./interner.ts";
import type { Locals } from "./locals.ts";
import { COUNTERS, counterOf, NOW } from "./numbers.ts";

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
  /** By whose they are: the counters that the state has, and their ranks. */
  readonly #groups: number[][];
  readonly #ranks: number[][];

  constructor(locals: Locals) {
    this.#locals = locals;
    this.#groups = Array.from({ length: COUNTERS }, () => []);
    this.#ranks = this.#groups.map(() => []);
  }

  keyOf(state: State): number[] {
    const { images, letters, late, unasked, acked, budget, replaced } = state;
    const { cut, fresh, behind } = state;
    const { coordinators, nodes, letters: post } = this.#locals;
    for (const group of this.#groups) group.length = 0;
    this.#groups[0]?.push(NOW);
    for (const [place, id] of images.entries())
      this.#collect((place === 0 ? coordinators : nodes).countersOf(id));
    if (replaced >= 0) this.#collect(coordinators.countersOf(replaced));
    for (const id of letters) this.#collect(post.countersOf(id));
    for (const id of late) this.#collect(post.countersOf(id));
    this.#rank();
    const key = [unasked, acked, letters.length, late.length, cut, fresh, behind];
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

  /** Into its group, which stays ascending and has each once. */
  #collect(counters: readonly number[]): void {
    for (const counter of counters) {
      const group = this.#groups[counterOf(counter) ?? 0];
      if (!group) continue;
      let at = group.length;
      while (at > 0 && (group[at - 1] ?? 0) > counter) at--;
      if (group[at - 1] === counter) continue;
      for (let i = group.length; i > at; i--) group[i] = group[i - 1] ?? 0;
      group[at] = counter;
    }
  }

  #append(key: number[], interner: Named, id: number): number[] {
    key.push(interner.shapeOf(id));
    for (const counter of interner.countersOf(id)) {
      const place = counterOf(counter) ?? 0;
      key.push(this.#ranks[place]?.[this.#groups[place]?.indexOf(counter) ?? -1] ?? -1);
    }
    return key;
  }

  /** From 0 up, 1 apart if the counters are, else 2. */
  #rank(): void {
    for (const [place, group] of this.#groups.entries()) {
      const ranks = this.#ranks[place] ?? [];
      ranks[0] = 0;
      for (let i = 1; i < group.length; i++)
        ranks[i] = (ranks[i - 1] ?? 0) + Math.min(2, (group[i] ?? 0) - (group[i - 1] ?? 0));
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
