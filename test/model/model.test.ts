import { readFileSync, writeFileSync } from "node:fs";
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
    const judged = ["I4", "I6", "I7", "I8", "I9", "I14"] as const;
    const moved = seen.includes("finalizing") ? (["I2", "I5", "I12"] as const) : [];
    const joined = seen.some((mark) => mark.includes("member")) ? (["I12"] as const) : [];
    const stamped = search.rules.asked.some(({ type }) => type === "front");
    const later = stamped ? (["R-later-write"] as const) : [];
    for (const invariant of [...judged, ...moved, ...joined, ...later])
      expect(search.locals.judge.judged.get(invariant), invariant).toBeGreaterThan(0);
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
    const { text: again, end } = replay(fresh, text);
    expect(again).toBe(text);
    expect(fresh.rules.happenings(end)).toEqual([]);
  });
});
