import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Search, type Found } from "./search.ts";
import { replay, transcript, worldOf } from "./trace.ts";
import { QUICK, worldNamed } from "./worlds.ts";

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
    for (const invariant of ["I2", "I4", "I5", "I6", "I7", "I8", "I12", "I14"] as const)
      expect(search.locals.judge.judged.get(invariant), invariant).toBeGreaterThan(0);
  });
});

describe("a way through a world", () => {
  const text = readFileSync(SHORTEST, "utf8");

  it("is told as it happens", () => {
    const search = new Search(worldNamed(worldOf(text)));
    const { text: again, end } = replay(search, text);
    expect(again).toBe(text);
    expect(search.rules.happenings(end)).toEqual([]);
  });
});
