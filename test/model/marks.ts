/** What a world came to see: phases of moves, and faults in each of them. A world that missed them proves nothing. */
import { strays } from "../../src/core/coordinator/moves.ts";
import type { Entry } from "../../src/core/coordinator/state.ts";
import type { Locals } from "./locals.ts";
import type { Happening } from "./moves.ts";
import type { State } from "./state.ts";
import type { Asked } from "./world.ts";

export class Marks {
  readonly seen = new Map<string, number>();
  readonly #locals: Locals;
  readonly #decided = new Map<number, string>();
  readonly #facts = new Map<number, readonly string[]>();
  readonly #owned = new Map<number, string>();
  /** Of what is asked, the writes that are to be at backups before they are acknowledged. */
  readonly #toBackups: number;

  constructor(locals: Locals, asked: readonly Asked[]) {
    this.#locals = locals;
    this.#toBackups = asked.reduce(
      (bits, one, i) => (one.type === "write" && one.ack === "backup" ? bits | (1 << i) : bits),
      0,
    );
  }

  note(state: State, happening: Happening): void {
    const phase = this.phaseOf(state);
    this.#count(phase);
    if (happening.fault !== null) this.#count(`${happening.fault} while ${phase}`);
    for (const fact of this.#factsOf(state.images[0] ?? 0)) this.#count(fact);
    if (state.behind > 0) this.#count("a copy has taken over");
    if ((state.acked & this.#toBackups) !== 0) this.#count(`acked by backups while ${phase}`);
  }

  #count(mark: string): void {
    this.seen.set(mark, (this.seen.get(mark) ?? 0) + 1);
  }

  /** Of the first move: as its owner has saved it, or the coordinator that has ruled. */
  phaseOf({ images: [coordinator = 0, ...nodes] }: State): string {
    const decided = this.#phaseOfCoordinator(coordinator);
    if (decided === "finalizing") return decided;
    for (const id of nodes) {
      const owned = this.#phaseOfNode(id);
      if (owned !== "") return owned;
    }
    return decided;
  }

  #phaseOfCoordinator(id: number): string {
    const known = this.#decided.get(id);
    if (known !== undefined) return known;
    const { entries } = this.#locals.coordinators.get(id).disk;
    const phases = [...entries.values()].flatMap(({ move }) => move?.phase ?? []);
    const isStriking = [...entries.values()].some((entry) => strays(entry).length > 0);
    const phase = phases.toSorted()[0] ?? (isStriking ? "striking" : "quiet");
    this.#decided.set(id, phase);
    return phase;
  }

  /** What a coordinator knows of who is there. */
  #factsOf(id: number): readonly string[] {
    const known = this.#facts.get(id);
    if (known) return known;
    const { disk, state } = this.#locals.coordinators.get(id);
    const facts = new Set(disk.view.members.map(({ state: is }) => `a member is ${is}`));
    if ([...disk.entries.values()].some(({ lost }) => lost)) facts.add("a partition is lost");
    if ([...disk.entries.values()].some(isBackedUp)) facts.add("a backup is complete");
    if (disk.cluster?.unheard) facts.add("a coordinator asks everybody what he knows");
    if (state && state.memory.parked.length > 0) facts.add("an order waits for a quorum");
    if (disk.cluster && disk.cluster.departed.length > 0) facts.add("a node has left");
    const list = [...facts];
    this.#facts.set(id, list);
    return list;
  }

  #phaseOfNode(id: number): string {
    const known = this.#owned.get(id);
    if (known !== undefined) return known;
    const { partitions } = this.#locals.nodes.get(id).disk;
    const phases = [...partitions.values()].flatMap(({ role }) =>
      role.type === "owner" && role.move ? role.move.phase : [],
    );
    const phase = phases[0] ?? "";
    this.#owned.set(id, phase);
    return phase;
  }
}

const isBackedUp = ({ ruling }: Entry): boolean =>
  ruling.copies.some(({ state }) => state === "complete");
