/** Every mutant that a test kills, or those that are named: prints which tests failed, and by which kind of error. */
import { startVitest, type TestCase } from "vitest/node";
import { JUDGEMENTS } from "./mutant.ts";
import { MUTANTS } from "./mutants.ts";

const wanted = process.argv.slice(2);
const names = MUTANTS.flatMap(({ name, killedBy }) =>
  "title" in killedBy && (wanted.length === 0 || wanted.includes(name)) ? [name] : [],
);

interface Thrown {
  readonly name?: string;
  readonly cause?: unknown;
}

/** Of all that were thrown: one that is no judgement spoils it. */
function kindOf(errors: readonly Thrown[]): string {
  const kinds = errors.map(nameOf);
  return kinds.find((kind) => !JUDGEMENTS.includes(kind)) ?? kinds[0] ?? "Error";
}

/** A property that fails says so by an error of its own, for what one of its cases threw. */
function nameOf({ name = "Error", cause }: Thrown): string {
  return cause instanceof Object ? nameOf(cause) : name;
}

/** The name of the outermost suite that it is in. */
function mutantOf(test: TestCase): string {
  let name = "";
  for (let { parent } = test; parent.type === "suite"; { parent } = parent) ({ name } = parent);
  return name;
}

const vitest = await startVitest("test", [], {
  config: false,
  watch: false,
  experimental: { viteModuleRunner: false },
  include: ["test/mutants/own-graph.ts"],
  provide: { names },
  testTimeout: 60_000,
  reporters: [{}],
});
for (const module of vitest.state.getTestModules()) {
  for (const { message } of module.errors()) console.log(`broken: ${message}`);
  for (const test of module.children.allTests()) {
    const { state, errors = [] } = test.result();
    if (state !== "failed") continue;
    console.log(`${mutantOf(test)}: ${kindOf(errors)}: ${test.name}`);
    console.log(errors[0]?.message);
  }
}
await vitest.close();
