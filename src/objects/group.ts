/**
 * Group commit: the first item is taken at once, items that come while its commit is under way wait and are
 * taken together. One fsync then serves many, and a lone item does not wait for a timer.
 *
 * It also lets sockets through: calls from object to object alone would keep the event loop of their process
 * from looking at any socket until the last of them is done, and here none goes on without a timer.
 *
 * Two queues: what a client waits for, and copying. Beside few operations copying takes what room is left in a
 * group. Beside many, or where slow ones fill every group, it gets a share of what they cost, so that neither
 * starves the other.
 */
export interface Weight {
  /** Operations, about. */
  readonly ops: number;
  readonly bytes: number;
}

export interface Take<T> {
  /** Together, at most so much that one commit stays short. */
  readonly urgent: (items: readonly T[]) => void;
  /** One at a time. Returns what it cost, in urgent items of size 1 about. */
  readonly copying: (item: T) => number;
}

export class Group<T> {
  readonly #take: Take<T>;
  readonly #room: Weight;
  readonly #weightOf: (item: T) => Weight;
  #urgent: T[] = [];
  #copying: T[] = [];
  /** What copying may still cost in this group; less than 0: it went beyond, and waits. */
  #credit = 0;
  #busy = false;
  readonly #load = new Load();

  /** `room`: for urgent items that are taken together. Whoever adds items bounds how many wait. */
  constructor(take: Take<T>, room: Weight, weightOf: (item: T) => Weight) {
    this.#take = take;
    this.#room = room;
    this.#weightOf = weightOf;
  }

  /** Items of a kind keep their order. */
  add(item: T, kind: "urgent" | "copying"): void {
    if (kind === "urgent") this.#urgent.push(item);
    else this.#copying.push(item);
    if (this.#busy) return;
    this.#busy = true;
    this.#next();
  }

  #next(): void {
    if (this.#urgent.length === 0 && this.#copying.length === 0) {
      this.#busy = false;
      this.#credit = 0;
      return;
    }
    setTimeout(() => this.#next(), 0);
    const size = this.#takeUrgent();
    const left = this.#load.isHigh(size, Date.now()) ? 0 : COPYING_ROOM - size;
    this.#credit = Math.min(COPYING_ROOM, this.#credit + Math.max(left, size * SHARE));
    for (let taken = 0; this.#credit > 0 && taken < COPYING_MAX; taken++) {
      const item = this.#copying.shift();
      if (item === undefined) return;
      this.#credit -= this.#take.copying(item);
    }
  }

  #takeUrgent(): number {
    let [ops, bytes, count] = [0, 0, 0];
    for (const item of this.#urgent) {
      const next = this.#weightOf(item);
      const isFull = ops + next.ops > this.#room.ops || bytes + next.bytes > this.#room.bytes;
      if (count > 0 && isFull) break;
      ops += next.ops;
      bytes += next.bytes;
      count++;
    }
    if (count > 0) this.#take.urgent(this.#urgent.splice(0, count));
    return ops;
  }
}

/** What copying may cost in a group without any other work. */
const COPYING_ROOM = 512;

/** Of copying beside many operations, in parts of what these cost. */
const SHARE = 0.15;

/** Items of copying in one group, also of those that cost nothing. */
const COPYING_MAX = 64;

/** Operations a millisecond from which on they are many, about a quarter of what one object can do. */
const HIGH_PER_MS = 12;
const WINDOW_MS = 50;

/** How much came in the last full window. */
class Load {
  #since = 0;
  #size = 0;
  #isHigh = false;

  isHigh(size: number, nowMs: number): boolean {
    const ms = nowMs - this.#since;
    if (ms < 0 || ms >= WINDOW_MS) {
      this.#isHigh = ms > 0 && this.#size >= HIGH_PER_MS * ms;
      this.#since = nowMs;
      this.#size = 0;
    }
    this.#size += size;
    return this.#isHigh;
  }
}
