/**
 * Every mutant that a test kills, a project of its own, or those that are named: prints which tests failed where,
 * and by which kind of error.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startVitest } from "vitest/node";
import type { TestProjectInlineConfiguration } from "vitest/config";
import { JUDGEMENTS, patched, type Mutant, type Test } from "./mutant.ts";
import { MUTANTS } from "./mutants.ts";

const named = process.argv.slice(2);
const inTests = MUTANTS.filter(({ name }) => named.length === 0 || named.includes(name)).flatMap(
  (mutant) => ("title" in mutant.killedBy ? [{ mutant, killedBy: mutant.killedBy }] : []),
);

interface InTest {
  readonly mutant: Mutant;
  readonly killedBy: Test;
}

function projectOf({ mutant, killedBy }: InTest): TestProjectInlineConfiguration {
  const { name, file } = mutant;
  return {
    plugins: [
      {
        name: "mutant",
        enforce: "pre",
        // What all mutants have in common is transformed once.
        configureVitest: ({ defineCacheKeyGenerator }) =>
          defineCacheKeyGenerator(({ id }) => (id.endsWith(file) ? false : undefined)),
        transform: (text, id) => (id.endsWith(file) ? patched(text, mutant) : undefined),
      },
    ],
    test: {
      name,
      include: [killedBy.file],
      setupFiles: ["test/mutants/only.ts"],
      provide: { title: killedBy.title },
      testTimeout: 60_000,
    },
  };
}

interface Thrown {
  readonly name?: string;
  readonly cause?: unknown;
}

/** Of all that were thrown: one that is no judgement spoils it. */
function kindOf(errors: readonly Thrown[]): string {
  const names = errors.map(nameOf);
  return names.find((name) => !JUDGEMENTS.includes(name)) ?? names[0] ?? "Error";
}

/** A property that fails says so by an error of its own, for what one of its cases threw. */
function nameOf({ name = "Error", cause }: Thrown): string {
  return cause instanceof Object ? nameOf(cause) : name;
}

const cache = await mkdtemp(join(tmpdir(), "mutants-"));
const vitest = await startVitest("test", [], {
  config: false,
  watch: false,
  maxWorkers: 1,
  isolate: false,
  fsModuleCache: true,
  fsModuleCachePath: cache,
  reporters: [{}],
  projects: inTests.map(projectOf),
});
for (const module of vitest.state.getTestModules()) {
  const { name } = module.project;
  for (const { message } of module.errors()) console.log(`${name}: broken: ${message}`);
  for (const test of module.children.allTests()) {
    const { state, errors = [] } = test.result();
    if (state !== "failed") continue;
    console.log(`${name}: ${kindOf(errors)}: ${test.name}`);
    console.log(errors[0]?.message);
  }
}
await vitest.close();
await rm(cache, { recursive: true });
