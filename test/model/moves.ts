/** What can happen next in a model, and what comes of it. */
import type { Crash, Locals, Step, Stimulus } from "./locals.ts";
import { nameOf, placeOf, type Place } from "./letters.ts";
import type { State } from "./state.ts";
import { type Asked, type Budget, type World } from "./world.ts";

type Fault = keyof Budget;

/** One thing that can happen. Without a `fault` it costs nothing. */
export type Happening =
  | { readonly type: "lose"; readonly letter: number; readonly fault: "losses" }
  | { readonly type: "delay"; readonly letter: number; readonly fault: "delays" }
  | { readonly type: "sleep"; readonly place: Place; readonly fault: "crashes" }
  | { readonly type: "replace"; readonly fault: "stale" }
  | { readonly type: "restore"; readonly fault: "restores" }
  | { readonly type: "cut"; readonly place: Place; readonly fault: "cuts" }
  | { readonly type: "heal"; readonly fault: null }
  | {
      readonly type: "step";
      readonly place: Place;
      readonly stimulus: Stimulus;
      readonly crash: Crash;
      /** The letter comes once more, late. */
      readonly repeats: boolean;
      readonly fault: Fault | null;
    };

/** Where the coordinator is that has been replaced. */
export const REPLACED: Place = -1;

/** As `happen` returns it; `wrong`: an invariant was broken, or a machine. */
export interface Next {
  readonly state: State;
  readonly step: Step | null;
  /** Bits of nodes that stand behind what the coordinator decides in it. */
  readonly fresh?: number;
}

export class Rules {
  readonly #locals: Locals;
  readonly asked: readonly Asked[];
  readonly #ordered: boolean;
  readonly #cut: Place;
  readonly #world: Pick<World, "awake" | "turns">;
  /** Where the coordinator's storage is restored to. */
  #restored = -1;

  constructor(locals: Locals, world: Pick<World, "asked" | "order" | "cut" | "awake" | "turns">) {
    this.#locals = locals;
    this.#world = world;
    this.#cut = world.cut;
    this.#ordered = world.order === "links";
    this.asked = world.asked;
  }

  restoresTo(coordinator: number): void {
    this.#restored = this.#locals.asleep(0, coordinator);
  }

  /** Always in the same order for the same state. */
  happenings(state: State): Happening[] {
    const list: Happening[] = [];
    const { budget } = state;
    const may = (fault: Fault): boolean => budget[fault] > 0;
    let link = -1;
    for (const letter of state.letters) {
      if (this.#locals.linkOf(letter) === link) continue;
      link = this.#locals.linkOf(letter);
      this.#letterHappens(list, state, letter);
    }
    for (const [i, letter] of state.late.entries())
      if (state.late[i - 1] !== letter) this.#letterHappens(list, state, letter);
    for (const [index, asked] of this.asked.entries())
      if (this.#canBeAsked(state, index))
        for (const place of placesOf(asked, state))
          this.#stepHappens(list, state, place, { type: "asked", index });
    for (const [place, image] of state.images.entries()) {
      this.#timersRing(list, state, place, image);
      if (may("crashes") && this.#locals.isAwake(place, image))
        list.push({ type: "sleep", place, fault: "crashes" });
    }
    if (may("stale") && state.replaced < 0 && this.#locals.isAwake(0, state.images[0] ?? 0))
      list.push({ type: "replace", fault: "stale" });
    if (may("restores")) list.push({ type: "restore", fault: "restores" });
    if (may("cuts") && state.cut < 0) list.push({ type: "cut", place: this.#cut, fault: "cuts" });
    if (state.cut >= 0 && this.#isQuiet(state)) list.push({ type: "heal", fault: null });
    return list;
  }

  #letterHappens(list: Happening[], state: State, id: number): void {
    const { budget, replaced } = state;
    const { to } = this.#locals.letters.get(id);
    const stimulus = { type: "letter", id } as const;
    this.#stepHappens(list, state, to, stimulus);
    const step = { type: "step", place: to, stimulus, crash: null } as const;
    if (budget.delays > 0 && !state.late.includes(id))
      list.push({ type: "delay", letter: id, fault: "delays" });
    if (budget.losses > 0) list.push({ type: "lose", letter: id, fault: "losses" });
    if (budget.repeats > 0) list.push({ ...step, repeats: true, fault: "repeats" });
    if (to === 0 && replaced >= 0 && budget.stale > 0)
      list.push({ ...step, place: REPLACED, repeats: false, fault: "stale" });
  }

  #stepHappens(list: Happening[], state: State, place: Place, stimulus: Stimulus): void {
    const step = { type: "step", place, stimulus, repeats: false } as const;
    list.push({ ...step, crash: null, fault: null });
    if (state.budget.crashes === 0) return;
    list.push({ ...step, crash: "before-commit", fault: "crashes" });
    list.push({ ...step, crash: "after-commit", fault: "crashes" });
  }

  /** A write that is not acknowledged is asked for again when nothing is on its way; any, while somebody is missed. */
  #canBeAsked(state: State, index: number): boolean {
    const { unasked, acked, images } = state;
    if ((unasked >> index) & 1) return this.#isItsTurn(state, index);
    if (this.asked[index]?.type === "operator" || !this.#isQuiet(state)) return false;
    return ((acked >> index) & 1) === 0 || this.#locals.isMissing(images[0] ?? 0);
  }

  #isItsTurn({ unasked, acked }: State, index: number): boolean {
    const { turns } = this.#world;
    if (turns === "any" || this.asked[index]?.type === "operator") return true;
    const missing = turns === "asked" ? unasked : ~acked;
    const isWrite = ({ type }: Asked): boolean => type !== "operator";
    return this.asked
      .slice(0, index)
      .every((asked, before) => !isWrite(asked) || !((missing >> before) & 1));
  }

  /** What is late may come after any number of timers; without an order everything is late. */
  #isQuiet({ letters, late }: State): boolean {
    return letters.length === 0 && (this.#ordered || late.length === 0);
  }

  /** Freely when nothing is on its way, for what is asked again; else it is early. */
  #timersRing(list: Happening[], state: State, place: Place, image: number): void {
    const { cut, fresh } = state;
    for (const [timer, facts] of this.#locals.timers(place, image).entries()) {
      if (this.#world.awake && facts.beats) continue;
      // Who waits for one that is cut off has nothing to ask again meanwhile.
      const isVain = cut >= 0 && (cut === place || facts.about === nameOf(cut));
      const heard = fresh & (1 << placeOf(facts.about ?? "coordinator"));
      if (facts.kind === "age" && heard === 0) continue;
      if (facts.outlasts === true && (cut === 0 ? fresh : heard) !== 0) continue;
      const early = (facts.patience && !isVain) || !this.#isQuiet(state);
      if (early && state.budget.early === 0) continue;
      list.push({
        type: "step",
        place,
        stimulus: { type: "ring", timer },
        crash: null,
        repeats: false,
        fault: early ? "early" : null,
      });
    }
  }

  happen(state: State, happening: Happening): Next {
    const budget = happening.fault ? spent(state.budget, happening.fault) : state.budget;
    switch (happening.type) {
      case "lose":
        return { state: { ...taken(state, happening.letter), budget }, step: null };
      case "delay": {
        const late = merged(state.late, [happening.letter]);
        return { state: { ...taken(state, happening.letter), budget, late }, step: null };
      }
      case "sleep": {
        const { place } = happening;
        const images = state.images.with(
          place,
          this.#locals.asleep(place, state.images[place] ?? 0),
        );
        const fresh = place === 0 ? 0 : state.fresh;
        return { state: { ...state, budget, images, fresh }, step: null };
      }
      case "replace": {
        const [replaced = -1] = state.images;
        const images = state.images.with(0, this.#locals.asleep(0, replaced));
        return { state: { ...state, budget, images, replaced, fresh: 0 }, step: null };
      }
      case "restore": {
        const images = state.images.with(0, this.#restored);
        const unasked = this.asked.reduce(
          (bits, asked, i) => (isForRestored(asked) ? bits | (1 << i) : bits),
          state.unasked,
        );
        return { state: { ...state, budget, images, unasked, fresh: 0 }, step: null };
      }
      case "cut": {
        const { place: cut } = happening;
        const letters = this.#uncut(cut, state.letters);
        const late = this.#uncut(cut, state.late);
        return { state: { ...state, budget, cut, letters, late }, step: null };
      }
      case "heal":
        return { state: { ...state, cut: -1 }, step: null };
      case "step":
        return this.#takeStep({ ...state, budget }, happening);
    }
  }

  #takeStep(state: State, happening: Extract<Happening, { type: "step" }>): Next {
    const { place, stimulus, crash, repeats } = happening;
    const before = this.#without(state, stimulus, repeats);
    if (place === REPLACED) return this.#replacedSteps(before, stimulus);
    const step = this.#locals.step(place, state.images[place] ?? 0, stimulus, crash);
    const images = state.images.with(place, step.image);
    const acked = state.acked | step.acked;
    const after = this.#newsOnly({ ...before, ...this.#sent(before, step.sent), images, acked });
    if (place > 0) return { state: after, step };
    const fresh = this.#freshAfter(state, happening, images[0] ?? 0);
    const behind = (state.behind | step.inherited) & ~step.settled;
    return { state: { ...after, fresh: crash ? 0 : fresh, behind }, step, fresh };
  }

  /** What says nothing to whom it is for, and never will, need not come. */
  #newsOnly(state: State): State {
    const { letters, late, images } = state;
    const isNews = (id: number): boolean => !this.#locals.isKnown(id, images);
    if (letters.every(isNews) && late.every(isNews)) return state;
    return { ...state, letters: letters.filter(isNews), late: late.filter(isNews) };
  }

  /** In each reign, and each life, a coordinator hears everybody anew. */
  #freshAfter(
    { images: [before = 0], fresh }: State,
    { stimulus }: Extract<Happening, { type: "step" }>,
    image: number,
  ): number {
    const term = this.#locals.termOf(image);
    if (term !== this.#locals.termOf(before)) return 0;
    if (stimulus.type === "letter") {
      const letter = this.#locals.letters.get(stimulus.id);
      return letter.term === term ? fresh | (1 << placeOf(letter.from)) : fresh;
    }
    if (stimulus.type === "asked") return fresh;
    const { kind, about } = this.#locals.timers(0, before)[stimulus.timer] ?? {};
    return kind === "age" && about ? fresh & ~(1 << placeOf(about)) : fresh;
  }

  /** What does not pass the cut. */
  #uncut(cut: Place, letters: readonly number[]): readonly number[] {
    return letters.filter((id) => {
      const { from, to } = this.#locals.letters.get(id);
      return (placeOf(from) === cut) === (to === cut);
    });
  }

  #without(state: State, stimulus: Stimulus, repeats: boolean): State {
    if (stimulus.type === "ring") return state;
    if (stimulus.type === "asked")
      return { ...state, unasked: state.unasked & ~(1 << stimulus.index) };
    const rest = taken(state, stimulus.id);
    return repeats ? { ...rest, late: merged(rest.late, [stimulus.id]) } : rest;
  }

  #sent(state: State, said: readonly number[]): Pick<State, "letters" | "late"> {
    const { letters, late, cut } = state;
    const sent = cut < 0 ? said : this.#uncut(cut, said);
    if (sent.length === 0) return state;
    if (!this.#ordered) return { letters, late: merged(late, sent) };
    const { linkOf } = this.#locals;
    const all = [...letters, ...sent];
    return { letters: all.toSorted((a, b) => linkOf(a) - linkOf(b)), late };
  }

  /** It decides on what it remembers, but storage is another's: what it would have to save ends it. */
  #replacedSteps(state: State, stimulus: Stimulus): Next {
    const step = this.#locals.step(0, state.replaced, stimulus, null);
    if (step.saved || step.wrong) return { state: { ...state, replaced: -1 }, step: null };
    const replaced = state.budget.stale > 0 ? step.image : -1;
    const after = { ...state, ...this.#sent(state, step.sent), replaced };
    return { state: this.#newsOnly(after), step };
  }
}

/** Of nodes whoever the front takes for the owner. */
function placesOf(asked: Asked, { images }: State): readonly Place[] {
  if (asked.type === "operator") return [0];
  return asked.type === "write" ? [asked.at] : [...images.keys()].slice(1);
}

export const isForRestored = (asked: Asked): boolean =>
  asked.type === "operator" && asked.restored === true;

const spent = (budget: Budget, fault: Fault): Budget => ({
  ...budget,
  [fault]: budget[fault] - 1,
});

/** The first of its kind is taken, from where it is late if it is. */
function taken(state: State, id: number): State {
  const { letters, late } = state;
  const at = late.indexOf(id);
  if (at >= 0) return { ...state, late: late.toSpliced(at, 1) };
  return { ...state, letters: letters.toSpliced(letters.indexOf(id), 1) };
}

const merged = (letters: readonly number[], more: readonly number[]): readonly number[] =>
  [...letters, ...more].toSorted((a, b) => a - b);
