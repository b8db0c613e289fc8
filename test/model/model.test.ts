import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Search, type Found } from "./search.ts";
import { replay, transcript, worldOf } from "./trace.ts";
import { Prng } from "../sim/prng.ts";
import { judgedIn } from "./judged.ts";
import type { Happening } from "./moves.ts";
import { OnStage } from "./on-stage.ts";
import type { State } from "./state.ts";
import { QUICK, WORLDS, worldNamed } from "./worlds.ts";

const WALKS = 20;
const STEPS_MAX = 300;
/** Most worlds need a tenth of it. */
const WALKS_MAX = 400;

const SHORTEST = "test/model/shortest-move.txt";

function explored(name: string): { readonly search: Search; readonly found: Found } {
  const search = new Search(worldNamed(name));
  return { search, found: search.run() };
}

describe("every state of a world is good, and leads to an end", () => {
  it.each(QUICK.map(({ name }) => name))("%s", (name) => {
    const { search, found } = explored(name);
    const { statesMin, seen } = search.world;
    expect(found.wrong && transcript(search, found.wrong.way, found.wrong.message)).toBeNull();
    expect(found.states).toBeGreaterThanOrEqual(statesMin);
    expect([...found.seen.keys()]).toEqual(expect.arrayContaining([...seen]));
    expect(found.ends).toBeGreaterThan(0);
    for (const invariant of judgedIn(search.world))
      expect(search.locals.judge.judged.get(invariant), invariant).toBeGreaterThan(0);
  });
});

type Act = (state: State, happening: Happening) => State;

/** One way by chance, as far as it goes; `act` takes its steps. */
function walk({ rules, first }: Search, prng: Prng, act: Act): { end: State; steps: number } {
  let state = first;
  let steps = 0;
  for (; steps < STEPS_MAX; steps++) {
    const happenings = rules.happenings(state);
    const rest = happenings.filter(({ fault }) => fault === null);
    // Faults are few among what can happen, and shall be met at any moment.
    if (rest.length === 0 && prng.chance(0.5)) break;
    if (happenings.length === 0) break;
    const faults = happenings.filter(({ fault }) => fault !== null);
    const from = faults.length > 0 && (rest.length === 0 || prng.chance(0.03)) ? faults : rest;
    state = act(state, prng.pick(from));
  }
  return { end: state, steps };
}

describe("on the stage of the plays, where nothing is folded, the same is said", () => {
  it.each(QUICK.map(({ name }) => name))("on any way through %s", (name) => {
    const prng = new Prng(1);
    const search = new Search(worldNamed(name));
    let [steps, ends] = [0, 0];
    for (let i = 0; i < WALKS; i++) {
      const acted = new OnStage(search);
      const way = walk(search, prng, (state, happening) => acted.act(state, happening));
      steps += way.steps;
      if (search.rules.happenings(way.end).every(({ fault }) => fault !== null)) ends++;
    }
    expect(steps).toBeGreaterThan(WALKS);
    expect(ends).toBeGreaterThan(0);
  });
});

/** How many states they have shows only when they are explored; whether they come to what they are for, at once. */
describe("a world that takes too long to explore in every test run", () => {
  const others = WORLDS.filter((world) => !QUICK.includes(world));

  it.each(others.map(({ name }) => name))("comes to all that it is to see: %s", (name) => {
    const prng = new Prng(1);
    const search = new Search(worldNamed(name));
    const missed = (): string[] => search.world.seen.filter((mark) => !search.marks.seen.has(mark));
    for (let i = 0; i < WALKS_MAX && missed().length > 0; i++)
      walk(search, prng, (state, happening) => {
        search.marks.note(state, happening);
        const { state: next, step } = search.rules.happen(state, happening);
        expect(step?.wrong ?? null).toBeNull();
        return next;
      });
    expect(missed()).toEqual([]);
  });
});

describe("a way through a world", () => {
  const why =
    "The shortest way through a world in which a partition moves and an entry of it is deleted.";

  it("is told as it happens", () => {
    const { search, found } = explored("a move");
    const shortest = transcript(search, found.shortest, why);
    if (process.env["UPDATE"]) writeFileSync(SHORTEST, shortest);
    const text = readFileSync(SHORTEST, "utf8");
    expect(shortest).toBe(text);
    const fresh = new Search(worldNamed(worldOf(text)));
    const { text: again, way, end } = replay(fresh, text);
    expect(again).toBe(text);
    expect(fresh.rules.happenings(end)).toEqual([]);
    new OnStage(fresh).follow(fresh.first, way);
  });
});
