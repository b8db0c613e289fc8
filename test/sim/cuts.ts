/** What the network keeps apart: now one way between two, now everybody in two halves, and for longer. */
import type { Sender } from "../../src/protocol/cluster-messages.ts";
import type { World } from "./world.ts";

export class Cuts {
  readonly #world: World;
  readonly #cuts = new Set<string>();
  #splitUntil = 0;

  constructor(world: World) {
    this.#world = world;
  }

  has(from: Sender, to: Sender): boolean {
    return this.#cuts.has(`${from}→${to}`);
  }

  heal(): void {
    this.#cuts.clear();
  }

  draw(): void {
    const { schedule, prng, options, nodes } = this.#world;
    if (schedule.now < this.#splitUntil) return;
    this.#cuts.clear();
    const ends: Sender[] = ["coordinator", ...nodes.keys()];
    if (prng.chance(options.splitRate)) return this.#split(ends);
    if (!prng.chance(options.cutRate)) return;
    for (let i = 0; i < 2; i++) this.#cuts.add(`${prng.pick(ends)}→${prng.pick(ends)}`);
    this.#world.log(`cut ${[...this.#cuts].join(" ")}`);
  }

  /** Both ways: now and then with the coordinator alone. */
  #split(ends: readonly Sender[]): void {
    const { schedule, prng, options, counts } = this.#world;
    const side = new Set(ends.filter(() => prng.chance(0.5)));
    for (const a of ends)
      for (const b of ends) if (side.has(a) !== side.has(b)) this.#cuts.add(`${a}→${b}`);
    if (this.#cuts.size === 0) return;
    counts.splits++;
    this.#splitUntil = schedule.now + prng.below(options.splitMsMax);
    this.#world.log(`split off ${[...side].join(" ")} until ${this.#splitUntil}`);
  }
}
