/** Instances of the coordinator that were replaced and do not know. */
import type { CoordinatorEffect, CoordinatorMessage } from "../../src/core/coordinator/state.ts";
import type { Term } from "../../src/data/ids.ts";
import type { CoordinatorHost } from "./hosts.ts";
import type { World } from "./world.ts";

export class Ghosts {
  readonly #world: World;
  readonly #perform: (effect: CoordinatorEffect, term: Term) => void;
  #ghost: CoordinatorHost | null = null;

  constructor(world: World, perform: (effect: CoordinatorEffect, term: Term) => void) {
    this.#world = world;
    this.#perform = perform;
  }

  haunt(): void {
    const { coordinator, prng, options } = this.#world;
    if (coordinator.disk.cluster && prng.chance(options.ghostRate)) this.replace();
  }

  /** The coordinator goes on elsewhere, and its old instance does not know. Returns what ends that one. */
  replace(): (() => void) | null {
    const { coordinator, counts } = this.#world;
    const { cluster } = coordinator.disk;
    if (!cluster) return null;
    const ghost = coordinator.ghost((effect) => this.#perform(effect, cluster.term));
    this.#ghost = ghost;
    if (!ghost) return null;
    counts.ghosts++;
    this.#world.log("the coordinator is replaced");
    coordinator.crash();
    return () => {
      if (this.#ghost === ghost) this.#ghost = null;
    };
  }

  end(): void {
    this.#ghost = null;
  }

  /** A network that does not know either brings a message to the old instance, or to both. Returns what is left of it. */
  share(event: CoordinatorMessage): CoordinatorMessage | null {
    const { prng, counts } = this.#world;
    const ghost = this.#ghost?.awake === true ? this.#ghost : null;
    const lot = ghost ? prng.below(3) : 2;
    if (ghost && lot < 2) {
      ghost.deliver(event, null);
      counts["ghosts told"]++;
      if (!ghost.awake) counts["ghosts that found out"]++;
    }
    if (lot === 0) return null;
    return lot === 2 ? event : { ...event, call: null };
  }
}
