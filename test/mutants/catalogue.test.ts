import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { INVARIANTS } from "../sim/checkers.ts";
import { parseCatalogue, problemsOf, type Facts } from "./catalogue.ts";
import { BRIEF, WORLDS } from "../model/worlds.ts";
import { MUTANTS } from "./mutants.ts";
import { unformatted, withTables } from "./table.ts";

const TEXT = readFileSync("test/INVARIANTS.md", "utf8");

const FACTS: Facts = {
  checkers: INVARIANTS,
  plays: readdirSync("test/scripts").filter((name) => name.endsWith(".txt")),
  mutants: MUTANTS,
  read: (file) => (existsSync(file) ? readFileSync(file, "utf8") : null),
};

describe("the catalogue of invariants", () => {
  it("names nothing that is not there, and misses nothing that is", () => {
    expect(parseCatalogue(TEXT).length).toBeGreaterThan(14);
    expect(problemsOf(TEXT, FACTS)).toEqual([]);
  });
});

describe("the tables of small worlds", () => {
  const there = { worlds: WORLDS, brief: BRIEF, mutants: MUTANTS };

  it("say what there is", () => {
    const right = withTables(TEXT, there);
    if (process.env["UPDATE"] === "1") writeFileSync("test/INVARIANTS.md", right);
    else expect(unformatted(TEXT)).toBe(unformatted(right));
  });

  it("are wrong when a mutant is found in another world, or no more", () => {
    const lost = MUTANTS.map(({ name, bug, file, find, replace, killedBy }) => ({
      name,
      bug,
      file,
      find,
      replace,
      killedBy,
    }));
    expect(unformatted(withTables(TEXT, { ...there, mutants: lost }))).not.toBe(unformatted(TEXT));
  });

  it("name worlds that there are", () => {
    const names = WORLDS.map(({ name }) => name);
    for (const { killedBy, killedIn } of MUTANTS)
      for (const by of [killedBy, killedIn])
        if (by && "world" in by) expect(names).toContain(by.world);
  });
});

/** Each is the catalogue with one thing spoilt, and what must be said of it. */
const SPOILT: readonly [string, RegExp, string, string][] = [
  ["a file", /`src\/core\/node\/node\.ts`/, "`src/core/node/gone.ts`", "I1: there is no file"],
  ["a test", /what an older coordinator says/, "what no test says", "I1: there is no test in"],
  ["a play", /- play late-op\.txt/, "- play no-play.txt", "I6: there is no play no-play.txt"],
  ["a play left out", /- play two-moves\.txt\n/, "", "play two-moves.txt is not named"],
  ["a checker", /- checker I4/, "- checker I400", "I4: there is no checker I400"],
  ["a checker left out", /- checker I4\n/, "", "checker I4 is not named"],
  ["a mutant", /- mutant no epoch check:/, "- mutant none:", "I4: there is no mutant none"],
  ["a mutant left out", /- mutant no epoch check: .*\n/, "", "mutant no epoch check is not named"],
  ["a killer", /(?<=no epoch check: )I4, I2/, "I14", "no epoch check is killed by I4, I2; world"],
  ["a world", /; world a move: I4$/m, "", "no epoch check is killed by I4, I2; world a move: I4"],
  ["a word", /- kept by `src\/data\/row\.ts`/, "- held by me", "R-merge-order: says nothing:"],
  ["a statement", /Once a node has heard .*\n/, "", "I1: states nothing"],
  ["a rule", /^## I4 /m, "## I2 ", "I2 is there twice"],
];

describe("a spoilt catalogue fails", () => {
  it.each(SPOILT)("%s", (_, find, replace, problem) => {
    const spoilt = TEXT.replace(find, replace);
    expect(spoilt).not.toBe(TEXT);
    const problems = problemsOf(spoilt, FACTS);
    expect(problems.filter((said) => said.includes(problem))).not.toEqual([]);
  });
});
