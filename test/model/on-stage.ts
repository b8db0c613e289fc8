/**
 * A way through a world, acted on the stage of the plays: whole machines whose time, counters and names are not
 * folded. What they say must be what the model says. A wake makes the one timer due that the model names.
 */
import type { NodeState } from "../../src/core/node/state.ts";
import { NodeId } from "../../src/data/ids.ts";
import { showMessage } from "../scripts/show.ts";
import { Stage, type Letter } from "../scripts/stage.ts";
import { coordinatorTimers } from "./coordinator-timers.ts";
import { forwardOf, frameOf, nameOf, placeOf, type Place } from "./letters.ts";
import type { Crash } from "./locals.ts";
import { REPLACED, type Happening } from "./moves.ts";
import { foldNode } from "./fold.ts";
import { nodeTimers } from "./node-timers.ts";
import { NOW } from "./numbers.ts";
import type { Search } from "./search.ts";
import type { State } from "./state.ts";
import type { Timer } from "./timers.ts";

type StepOf = Extract<Happening, { type: "step" }>;

export class OnStage {
  readonly stage: Stage;
  readonly #search: Search;
  readonly #late: Letter[] = [];
  #atFirst: Stage["coordinator"]["disk"] | null = null;

  /** The cluster has formed, as in the model. */
  constructor(search: Search) {
    this.#search = search;
    this.stage = new Stage(search.world.config);
    const { newborn, way } = search.begun;
    this.follow(newborn, way);
    this.#atFirst = this.stage.coordinator.disk;
  }

  /** Throws where the stage says something else than the model. */
  follow(from: State, way: readonly number[]): State {
    const { rules } = this.#search;
    let state = from;
    for (const ordinal of way) {
      const happening = rules.happenings(state)[ordinal];
      if (!happening) throw new Error("the way leads nowhere");
      state = this.act(state, happening);
    }
    return state;
  }

  act(state: State, happening: Happening): State {
    const { rules, locals } = this.#search;
    const { state: next, step } = rules.happen(state, happening);
    this.stage.lines.length = 0;
    this.#act(state, happening);
    for (const node of this.stage.nodes.values()) if (node.state) node.later(deaf(node.state));
    const said = this.stage.lines.filter((line) => /^ {2}\S+ → /.test(line)).map((l) => l.trim());
    const { cut } = next;
    const expected = (step?.sent ?? [])
      .map((id) => locals.letters.get(id))
      .filter(({ from, to }) => (placeOf(from) === cut) === (to === cut))
      .map(({ from, to, message }) => `${from} → ${nameOf(to)} ${showMessage(message)}`);
    if (said.join("\n") !== expected.join("\n"))
      throw new Error(
        `the stage says\n${said.join("\n")}\nthe model\n${expected.join("\n")}\n${JSON.stringify(happening)}`,
      );
    return next;
  }

  #act(state: State, happening: Happening): void {
    const { stage } = this;
    switch (happening.type) {
      case "lose":
        return void this.#take(happening.letter);
      case "delay":
        return void this.#late.push(this.#take(happening.letter));
      case "sleep":
        return this.#host(happening.place).crash();
      case "cut":
        return this.#cut(happening.place);
      case "heal":
        stage.cut = () => false;
        return;
      case "restore":
        stage.coordinator.crash();
        if (this.#atFirst) stage.coordinator.disk = this.#atFirst;
        return;
      case "replace":
        throw new Error("the stage has one coordinator");
      case "step":
        return this.#step(state, happening);
    }
  }

  #step(state: State, { place, stimulus, crash, repeats }: StepOf): void {
    if (place === REPLACED) throw new Error("the stage has one coordinator");
    this.stage.now = this.#nowAt(place);
    if (stimulus.type === "asked") return this.#ask(place, stimulus.index, crash);
    if (stimulus.type === "ring") return this.#ring(state, place, stimulus.timer, crash);
    const letter = this.#take(stimulus.id);
    if (repeats) this.#late.push(this.stage.again(letter));
    this.stage.deliver(letter, crash);
  }

  #ask(place: Place, index: number, crash: Crash): void {
    const asked = this.#search.rules.asked[index];
    const at = NodeId(nameOf(place));
    if (asked?.type === "write") {
      const frame = frameOf(asked, index, { now: this.stage.now, random: 0.5 });
      return this.stage.node(at).deliver(frame, crash);
    }
    if (asked?.type === "operator") this.stage.ask(asked.message);
    else if (asked) this.stage.ask(forwardOf(asked, index), at);
    const letter = this.stage.letters.pop();
    if (letter) this.stage.deliver(letter, crash);
  }

  #ring(state: State, place: Place, timer: number, crash: Crash): void {
    const { name, kind } = this.#search.locals.timers(place, state.images[place] ?? 0)[timer] ?? {};
    const woke = { type: "woke", now: this.stage.now, random: 0.5 } as const;
    if (place === 0) {
      const { coordinator } = this.stage;
      if (coordinator.state) coordinator.later(due(coordinator.state, coordinatorTimers, name));
      if (kind !== "age") coordinator.deliver(woke, crash);
    } else {
      const node = this.stage.node(NodeId(nameOf(place)));
      if (node.state) node.later(due(node.state, nodeTimers, name));
      node.deliver(woke, crash);
    }
  }

  #cut(place: Place): void {
    // Whoever asks from outside comes through.
    const crosses = ({ from, to }: Pick<Letter, "from" | "to">): boolean =>
      from !== "front" && (placeOf(from) === place) !== (placeOf(to) === place);
    this.stage.letters = this.stage.letters.filter((letter) => !crosses(letter));
    this.stage.cut = (from, to) => crosses({ from, to });
  }

  #nowAt(place: Place): number {
    const { ahead, config } = this.#search.world;
    return NOW + (place === ahead ? config.maxClockSkewMs : 0);
  }

  #host(place: Place): { crash: () => void } {
    return place === 0 ? this.stage.coordinator : this.stage.node(NodeId(nameOf(place)));
  }

  /** What is late comes first, as in the model. */
  #take(id: number): Letter {
    const { from, to, message, call } = this.#search.locals.letters.get(id);
    const text = showMessage(message);
    const isIt = (letter: Letter): boolean =>
      letter.from === from &&
      letter.to === nameOf(to) &&
      (letter.call === null) === (call === null) &&
      showMessage(letter.message) === text;
    for (const letters of [this.#late, this.stage.letters]) {
      const at = letters.findIndex(isIt);
      const [letter] = at < 0 ? [] : letters.splice(at, 1);
      if (letter) return letter;
    }
    throw new Error(`nothing like it is on its way: ${from} → ${nameOf(to)} ${text}`);
  }
}

/** Nobody in a model listens to how the map changes, so that nobody is woken to tell. */
const deaf = (state: NodeState): NodeState => ({
  ...state,
  memory: { ...state.memory, map: foldNode(state).memory.map },
});

function due<S>(state: S, timers: (state: S) => readonly Timer<S>[], name: string | undefined): S {
  const found = timers(state).find((timer) => timer.name === name);
  if (!found) throw new Error(`nobody waits for ${name}`);
  return found.due(state);
}
