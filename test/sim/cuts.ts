/** What the network keeps apart in any run: now one way between two, now everybody in two halves, and for longer. */
import type { Sender } from "../../src/protocol/cluster-messages.ts";
import type { World } from "./world.ts";

export class Cuts {
  readonly #world: World;
  readonly #ends = new Map<string, () => void>();
  #splitUntil = 0;

  constructor(world: World) {
    this.#world = world;
  }

  heal(): void {
    for (const end of this.#ends.values()) end();
    this.#ends.clear();
  }

  draw(): void {
    const { schedule, prng, options, nodes } = this.#world;
    if (schedule.now < this.#splitUntil) return;
    this.heal();
    const ends: Sender[] = ["coordinator", ...nodes.keys()];
    if (prng.chance(options.splitRate)) return this.#split(ends);
    if (!prng.chance(options.cutRate)) return;
    for (let i = 0; i < 2; i++) this.#cut(prng.pick(ends), prng.pick(ends));
    this.#world.log(`cut ${[...this.#ends.keys()].join(" ")}`);
  }

  #cut(from: Sender, to: Sender): void {
    const link = `${from}→${to}`;
    if (!this.#ends.has(link)) this.#ends.set(link, this.#world.faults.cut(from, to));
  }

  /** Both ways: now and then with the coordinator alone. */
  #split(ends: readonly Sender[]): void {
    const { schedule, prng, options, counts } = this.#world;
    const side = new Set(ends.filter(() => prng.chance(0.5)));
    for (const a of ends) for (const b of ends) if (side.has(a) !== side.has(b)) this.#cut(a, b);
    if (this.#ends.size === 0) return;
    counts.splits++;
    this.#splitUntil = schedule.now + prng.below(options.splitMsMax);
    this.#world.log(`split off ${[...side].join(" ")} until ${this.#splitUntil}`);
  }
}
