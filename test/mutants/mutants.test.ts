import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { JUDGEMENTS, type Checkers, type Mutant, type Test, type World } from "./mutant.ts";
import { MUTANTS } from "./mutants.ts";

const run = promisify(execFile);

interface Ended {
  readonly code: number;
  readonly output: string;
}

async function node(args: readonly string[], mutant: string | null): Promise<Ended> {
  const env = { ...process.env, NODE_NO_WARNINGS: "1", ...(mutant !== null && { MUTANT: mutant }) };
  try {
    const { stdout } = await run(process.execPath, args, { env, maxBuffer: 64 * 1024 * 1024 });
    return { code: 0, output: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

function simulate(seeds: number, mutant: string | null, from = 1): Promise<Ended> {
  const patch = mutant === null ? [] : ["--import", "./test/mutants/patch.ts"];
  const wanted = ["--seed", String(from), "--seeds", String(seeds)];
  return node([...patch, "test/sim/main.ts", ...wanted], mutant);
}

function explore(world: string, mutant: string): Promise<Ended> {
  const patch = ["--import", "./test/mutants/patch.ts"];
  return node([...patch, "test/model/main.ts", "--world", world], mutant);
}

const inRuns = MUTANTS.flatMap(({ name, bug, killedBy }) =>
  "checkers" in killedBy ? [{ name, bug, killedBy }] : [],
);
const inTests = MUTANTS.flatMap(({ name, bug, killedBy }) =>
  "title" in killedBy ? [{ name, bug, killedBy }] : [],
);

const inWorlds = MUTANTS.flatMap(({ name, bug, killedBy, killedIn }) =>
  [killedBy, killedIn].flatMap((by) => (by && "world" in by ? [{ name, bug, killedBy: by }] : [])),
);

type Of<K> = Pick<Mutant, "name" | "bug"> & { readonly killedBy: K };

describe("what is broken on purpose is found", () => {
  it("and nothing in the code as it is", async () => {
    const { code, output } = await simulate(10, null); // many more are run by `test/sim`
    expect(output).not.toContain("violated");
    expect(code).toBe(0);
  });

  it.each<Of<Checkers>>(inRuns)(
    "$name: $bug",
    { timeout: 300_000 },
    async ({ name, killedBy: { checkers, seeds, from } }) => {
      const { code, output } = await simulate(seeds, name, from);
      expect(code, "the mutant lives").toBe(1);
      const [, checker] = /seed \d+: ([\w-]+) violated/.exec(output) ?? [];
      expect(checker, output.slice(-2_000)).toBeOneOf([...checkers]);
    },
  );

  it.each<Of<World>>(inWorlds)(
    "in a world: $name: $bug",
    { timeout: 300_000 },
    async ({ name, killedBy: { world, invariants } }) => {
      const { code, output } = await explore(world, name);
      expect(code, "the mutant lives").toBe(1);
      const [, invariant] = /^([\w-]+) violated/m.exec(output) ?? [];
      expect(invariant, output.slice(-2_000)).toBeOneOf([...invariants]);
    },
  );

  describe("by a test", () => {
    let lines: readonly string[];
    beforeAll(async () => {
      const { output } = await node(["test/mutants/run-tests.ts"], null);
      lines = output.split("\n");
    }, 600_000);

    it.each<Of<Test>>(inTests)("$name: $bug", ({ name, killedBy: { title } }) => {
      // By what it asserts, or by a checker: one that only crashes has found out nothing.
      const found = JUDGEMENTS.map((kind) => `${name}: ${kind}: ${title}`);
      expect(
        lines.some((line) => found.includes(line)),
        lines.join("\n"),
      ).toBe(true);
    });
  });
});
