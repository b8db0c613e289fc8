import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Search, type Found } from "./search.ts";
import { replay, transcript, worldOf } from "./trace.ts";
import { Prng } from "../sim/prng.ts";
import { judgedIn } from "./judged.ts";
import { OnStage } from "./on-stage.ts";
import { QUICK, worldNamed } from "./worlds.ts";

const WALKS = 20;
const STEPS_MAX = 300;

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

describe("on the stage of the plays, where nothing is folded, the same is said", () => {
  it.each(QUICK.map(({ name }) => name))("on any way through %s", (name) => {
    const prng = new Prng(1);
    const search = new Search(worldNamed(name));
    let [steps, ends] = [0, 0];
    for (let walk = 0; walk < WALKS; walk++) {
      const acted = new OnStage(search);
      let state = search.first;
      for (let i = 0; i < STEPS_MAX; i++, steps++) {
        const happenings = search.rules.happenings(state);
        const rest = happenings.filter(({ fault }) => fault === null);
        // Faults are few among what can happen, and shall be met at any moment.
        if (rest.length === 0 && prng.chance(0.5)) break;
        if (happenings.length === 0) break;
        const faults = happenings.filter(({ fault }) => fault !== null);
        const from = faults.length > 0 && (rest.length === 0 || prng.chance(0.03)) ? faults : rest;
        state = acted.act(state, prng.pick(from));
      }
      if (search.rules.happenings(state).every(({ fault }) => fault !== null)) ends++;
    }
    expect(steps).toBeGreaterThan(WALKS);
    expect(ends).toBeGreaterThan(0);
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
