/** How the states of a world hang together, in as little memory as it takes. */
class Numbers {
  #items = new Int32Array(1 << 16);
  length = 0;

  push(item: number): void {
    if (this.length === this.#items.length) {
      const more = new Int32Array(2 * this.length);
      more.set(this.#items);
      this.#items = more;
    }
    this.#items[this.length++] = item;
  }

  at(i: number): number {
    return this.#items[i] ?? -1;
  }
}

export class Graph {
  /** Of each state but the first: whence it was reached first, and by which of what could happen there. */
  readonly #parents = new Numbers();
  readonly #ordinals = new Numbers();
  /** What can happen without a fault. */
  readonly #from = new Numbers();
  readonly #to = new Numbers();
  readonly #ends = new Numbers();
  #faulty = 0;

  constructor() {
    this.#parents.push(-1);
    this.#ordinals.push(-1);
  }

  get transitions(): number {
    return this.#from.length + this.#faulty;
  }

  /** States are numbered in the order in which this is called. */
  parent(state: number, parent: number, ordinal: number): void {
    if (state !== this.#parents.length) throw new Error("states are numbered as they are found");
    this.#parents.push(parent);
    this.#ordinals.push(ordinal);
  }

  edge(from: number, to: number): void {
    this.#from.push(from);
    this.#to.push(to);
  }

  faulty(): void {
    this.#faulty++;
  }

  end(state: number): void {
    this.#ends.push(state);
  }

  wayTo(state: number): number[] {
    const way: number[] = [];
    for (let at = state; this.#parents.at(at) >= 0; at = this.#parents.at(at))
      way.push(this.#ordinals.at(at));
    return way.toReversed();
  }

  /** To the first that was found. */
  wayToEnd(): number[] {
    return this.#ends.length > 0 ? this.wayTo(this.#ends.at(0)) : [];
  }

  /** A state from which no way without a fault leads to an end; -1: there is none. */
  stuck(): number {
    const states = this.#parents.length;
    const [starts, sources] = this.#backwards(states);
    const good = new Uint8Array(states);
    const open: number[] = [];
    for (let i = 0; i < this.#ends.length; i++) {
      good[this.#ends.at(i)] = 1;
      open.push(this.#ends.at(i));
    }
    for (let state = open.pop(); state !== undefined; state = open.pop())
      for (let i = starts[state] ?? 0; i < (starts[state + 1] ?? 0); i++) {
        const source = sources[i] ?? 0;
        if (good[source] === 1) continue;
        good[source] = 1;
        open.push(source);
      }
    return good.indexOf(0);
  }

  /** The sources of the edges to each state, one state after the other, and where each begins. */
  #backwards(states: number): readonly [Int32Array, Int32Array] {
    const starts = new Int32Array(states + 1);
    const edges = this.#from.length;
    for (let i = 0; i < edges; i++)
      starts[this.#to.at(i) + 1] = (starts[this.#to.at(i) + 1] ?? 0) + 1;
    for (let s = 0; s < states; s++) starts[s + 1] = (starts[s + 1] ?? 0) + (starts[s] ?? 0);
    const free = starts.slice();
    const sources = new Int32Array(edges);
    for (let i = 0; i < edges; i++) {
      const to = this.#to.at(i);
      const place = free[to] ?? 0;
      sources[place] = this.#from.at(i);
      free[to] = place + 1;
    }
    return [starts, sources];
  }
}
