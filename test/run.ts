/** `npm test`: every test, then one plain line. A test that was not run counts as failed. */
import { startVitest } from "vitest/node";

const vitest = await startVitest("test", process.argv.slice(2), {
  config: "test/vitest.config.ts",
  watch: false,
});
const tests = vitest.state.getTestModules().flatMap((module) => [...module.children.allTests()]);
const passed = tests.filter((test) => test.result().state === "passed").length;
const failed = tests.length - passed + vitest.state.getUnhandledErrors().length + countBroken();
await vitest.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);

/** Modules that failed outside any test, such as by an import. */
function countBroken(): number {
  return vitest.state.getTestModules().filter((module) => module.errors().length > 0).length;
}
