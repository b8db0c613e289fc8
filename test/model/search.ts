/**
 * Every state that a world can come to, breadth first, so that the first that is wrong is reached by a shortest way.
 * A world is explored to the end; then from each of its states one must come, without any further fault, to one in
 * which everything is settled and nothing is left to happen.
 */
import { NodeId } from "../../src/data/ids.ts";
import type { Cluster } from "../sim/predicates.ts";
import { Graph } from "./graph.ts";
import { Objection } from "./judge.ts";
import { nameOf } from "./letters.ts";
import { Locals } from "./locals.ts";
import { Rules, type Next } from "./moves.ts";
import { Marks } from "./marks.ts";
import { toldOf, type Told } from "./told.ts";
import { Seen } from "./seen.ts";
import { Names, type State } from "./state.ts";
import { begin, type Begun } from "./begin.ts";
import type { World } from "./world.ts";

export interface Found {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  readonly ends: number;
  readonly seen: ReadonlyMap<string, number>;
  /** The shortest way to an end. */
  readonly shortest: readonly number[];
  readonly wrong: Wrong | null;
}

export interface Wrong {
  readonly invariant: string;
  readonly message: string;
  /** What happened from the beginning on, each by its number among what could. */
  readonly way: readonly number[];
}

export class Search {
  readonly world: World;
  readonly locals: Locals;
  readonly rules: Rules;
  readonly begun: Begun;
  readonly first: State;
  readonly marks: Marks;
  readonly #names: Names;
  readonly #seen = new Seen();
  readonly #graph = new Graph();
  readonly #toldOf = new Map<number, Told>();
  readonly #wrongAtFirst: Omit<Wrong, "way"> | null;
  #ends = 0;

  constructor(world: World) {
    this.world = world;
    const asked = [...world.before, ...world.asked];
    this.locals = new Locals({ ...world, asked });
    this.rules = new Rules(this.locals, { ...world, asked });
    this.#names = new Names(this.locals);
    this.marks = new Marks(this.locals, asked);
    const begun = begin(
      world,
      this.locals,
      this.rules,
      (next) => this.#objection(next) ?? this.#judge(next.state),
    );
    this.begun = begun;
    this.first = begun.first;
    this.#wrongAtFirst = begun.wrong;
  }

  run(statesMax = Infinity): Found {
    let frontier: State[] = [this.first];
    let depth = 0;
    this.#number(this.first);
    if (this.#wrongAtFirst) return this.#found(0, { ...this.#wrongAtFirst, way: [] });
    let number = 0;
    for (; frontier.length > 0; depth++) {
      const next: State[] = [];
      for (const state of frontier) {
        const wrong = this.#expand(state, number++, next);
        if (wrong) return this.#found(depth, wrong);
        if (this.#seen.size > statesMax) return this.#found(depth, null);
      }
      frontier = next;
    }
    const stuck = this.#graph.stuck();
    const message = "from here no way leads to an end";
    return this.#found(depth - 1, stuck < 0 ? null : this.#wrong(stuck, "I8", message));
  }

  #expand(state: State, number: number, next: State[]): Wrong | null {
    const happenings = this.rules.happenings(state);
    if (happenings.every(({ fault }) => fault !== null)) {
      const wrong = this.#endsWell(state);
      if (wrong) return this.#wrong(number, wrong.invariant, wrong.message);
      this.#graph.end(number);
      this.#ends++;
    }
    for (const [ordinal, happening] of happenings.entries()) {
      const way = (): readonly number[] => [...this.#graph.wayTo(number), ordinal];
      const after = this.rules.happen(state, happening);
      this.marks.note(state, happening);
      const objection = this.#objection(after);
      if (objection) return { ...objection, way: way() };
      const known = this.#number(after.state);
      const to = known < 0 ? -1 - known : known;
      if (happening.fault === null) this.#graph.edge(number, to);
      else this.#graph.faulty();
      if (known >= 0) continue;
      this.#graph.parent(to, number, ordinal);
      const wrong = this.#judge(after.state);
      if (wrong) return { ...wrong, way: way() };
      next.push(after.state);
    }
    return null;
  }

  #number(state: State): number {
    return this.#seen.add(this.#names.keyOf(state));
  }

  /** What is wrong with the step itself. */
  #objection({ state, step, fresh = 0 }: Next): Omit<Wrong, "way"> | null {
    if (step?.wrong) return named(step.wrong);
    if (!step || step.switches.length + step.decided.length === 0) return null;
    const { judge } = this.locals;
    const cluster = this.cluster(state);
    return caught(() => {
      for (const decision of step.decided) judge.decided(cluster, decision, fresh);
      for (const change of step.switches) judge.switched(cluster, change, this.#told(state));
    });
  }

  #judge(state: State): Omit<Wrong, "way"> | null {
    return caught(() =>
      this.locals.judge.moment(this.cluster(state), this.#told(state), state.behind),
    );
  }

  #endsWell(state: State): Omit<Wrong, "way"> | null {
    return caught(() => this.locals.judge.end(this.cluster(state)));
  }

  #wrong(number: number, invariant: string, message: string): Wrong {
    return { invariant, message, way: this.#graph.wayTo(number) };
  }

  #found(depth: number, wrong: Wrong | null): Found {
    const { transitions } = this.#graph;
    const facts = { states: this.#seen.size, transitions, depth, ends: this.#ends };
    const shortest = this.#graph.wayToEnd();
    return { ...facts, seen: this.marks.seen, shortest, wrong };
  }

  cluster({ images: [coordinator = 0, ...nodes] }: State): Cluster {
    return {
      options: this.world,
      coordinator: this.locals.coordinators.get(coordinator),
      nodes: new Map(nodes.map((id, i) => [NodeId(nameOf(i + 1)), this.locals.stored(id)])),
    };
  }

  #told({ acked, unasked }: State): Told {
    const key = acked * 2 ** 26 + unasked;
    const known = this.#toldOf.get(key);
    if (known) return known;
    const told = toldOf(this.rules.asked, { acked, unasked });
    this.#toldOf.set(key, told);
    return told;
  }
}

function caught(run: () => void): Omit<Wrong, "way"> | null {
  try {
    run();
    return null;
  } catch (wrong) {
    if (wrong instanceof Error) return named(wrong);
    throw wrong;
  }
}

/** A machine that throws is as wrong as a broken invariant. */
const named = (wrong: Error): Omit<Wrong, "way"> => ({
  invariant: wrong instanceof Objection ? wrong.invariant : "error",
  message: wrong instanceof Objection ? wrong.message : String(wrong.stack),
});
