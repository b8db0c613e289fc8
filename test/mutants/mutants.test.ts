import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { MUTANTS } from "./mutants.ts";

const run = promisify(execFile);

interface Ended {
  readonly code: number;
  readonly output: string;
}

async function simulate(seeds: number, mutant: string | null): Promise<Ended> {
  const patch = mutant === null ? [] : ["--import", "./test/mutants/patch.ts"];
  const args = [...patch, "test/sim/main.ts", "--seeds", String(seeds)];
  const env = { ...process.env, NODE_NO_WARNINGS: "1", ...(mutant !== null && { MUTANT: mutant }) };
  try {
    const { stdout } = await run(process.execPath, args, { env, maxBuffer: 64 * 1024 * 1024 });
    return { code: 0, output: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

describe("the checkers find what is broken on purpose", () => {
  it("and nothing in the code as it is", async () => {
    const { code, output } = await simulate(100, null);
    expect(output).not.toContain("violated");
    expect(code).toBe(0);
  });

  it.each(MUTANTS)("$name", { timeout: 300_000 }, async ({ name, killedBy, seeds }) => {
    const { code, output } = await simulate(seeds, name);
    expect(code, "the mutant lives").toBe(1);
    expect(/seed \d+: (I\d+) violated/.exec(output)?.[1], output.slice(-2_000)).toBeOneOf([
      ...killedBy,
    ]);
  });
});
