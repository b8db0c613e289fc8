/** Which faults come together in one run, and when each of them strikes: drawn from its seed. */
import { Prng } from "../prng.ts";
import { CLOCKS } from "./clocks.ts";
import { LOSSES } from "./losses.ts";
import type { Nemesis, Victim } from "./nemesis.ts";
import { PARTITIONS } from "./partitions.ts";
import { RESTARTS } from "./restarts.ts";
import { STALLS } from "./stalls.ts";

export const NEMESES: readonly Nemesis[] = [
  ...PARTITIONS,
  ...STALLS,
  ...RESTARTS,
  ...CLOCKS,
  ...LOSSES,
];

/** One storm in so many is a calm. */
const CALM_SHARE = 0.1;

export class Storm {
  readonly prng: Prng;
  readonly nemeses: readonly Nemesis[];
  readonly strikes: Map<string, number>;
  readonly #ends = new Set<() => void>();
  #over = false;

  constructor(seed: number) {
    this.prng = new Prng(seed ^ 0x57012);
    const calm = this.prng.chance(CALM_SHARE);
    this.nemeses = NEMESES.filter(({ share }) => this.prng.chance(share / 100) && !calm);
    this.strikes = new Map(NEMESES.map(({ name }) => [name, 0]));
  }

  begin(victim: Victim): void {
    for (const nemesis of this.nemeses) this.#goOn(nemesis, victim);
  }

  #goOn(nemesis: Nemesis, victim: Victim): void {
    const { prng } = this;
    victim.later(1 + prng.below(2 * nemesis.everyMs), () => {
      if (this.#over) return;
      const end = nemesis.strike(victim);
      if (end) {
        victim.log(`strike: ${nemesis.name}`);
        this.strikes.set(nemesis.name, (this.strikes.get(nemesis.name) ?? 0) + 1);
        this.#ends.add(end);
        victim.later(1 + prng.below(nemesis.lastsMsMax), () => {
          this.#ends.delete(end);
          end();
        });
      }
      this.#goOn(nemesis, victim);
    });
  }

  /** All that goes on ends at once. */
  end(): void {
    this.#over = true;
    for (const end of this.#ends) end();
    this.#ends.clear();
  }
}
