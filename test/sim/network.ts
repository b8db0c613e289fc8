/** Messages between objects: lost, doubled, late, and so in any order; and who is to hear the answer. */
import type { CallId } from "../../src/core/machine/cluster-event.ts";
import type { Term } from "../../src/data/ids.ts";
import type { ClusterMessage, Sender } from "../../src/protocol/cluster-messages.ts";
import { describe } from "./describe.ts";
import type { Letter } from "./letter.ts";
import type { World } from "./world.ts";

export class Network {
  readonly #world: World;
  readonly #callers = new Map<CallId, { from: Sender; to: Sender }>();
  #calls = 0;

  constructor(world: World) {
    this.#world = world;
  }

  send(from: Sender, to: Sender, message: ClusterMessage, term: Term): CallId {
    const call = ++this.#calls;
    this.#callers.set(call, { from, to });
    this.#travel({ from, to, message, call, term });
    return call;
  }

  /** Once. */
  answer(from: Sender, call: CallId, message: ClusterMessage, term: Term): void {
    const caller = this.#callers.get(call);
    this.#callers.delete(call);
    if (!caller) return;
    if (caller.from === "front" && !this.#world.callers.told(call, message))
      this.#world.front.told(call, message);
    this.#travel({ from, to: caller.from, message, call: null, term });
  }

  #travel(letter: Letter): void {
    const { from, to, message } = letter;
    const { healed, prng, faults, schedule, options } = this.#world;
    const lost = !healed && (faults.isCut(from, to) || prng.chance(options.dropRate));
    this.#world.log(() => `${from}→${to} ${describe(message)}${lost ? " (lost)" : ""}`);
    if (lost) return;
    const copies = !healed && prng.chance(options.duplicateRate) ? 2 : 1;
    const arrive = (): void => faults.at(to, () => this.#world.arrive(letter));
    for (let i = 0; i < copies; i++) schedule.after(this.#delay(), arrive);
  }

  #delay(): number {
    const { healed, prng, options } = this.#world;
    if (healed) return 2;
    return prng.chance(options.slowRate) ? prng.below(options.slowMsMax) : 1 + prng.below(8);
  }
}
