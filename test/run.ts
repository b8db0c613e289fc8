/** `npm test`: every test, then one plain line. A test that was not run counts as failed. */
import { parseCLI, startVitest, type TestModule } from "vitest/node";

process.env["CLOUDFLARE_CF_FETCH_ENABLED"] = "false";
process.env["WRANGLER_SEND_METRICS"] = "false";
process.env["WRANGLER_HIDE_BANNER"] = "true";

const { filter, options } = parseCLI(["vitest", ...process.argv.slice(2)]);
const vitest = await startVitest("test", filter, {
  ...options,
  config: "test/vitest.config.ts",
  watch: false,
});
const modules = vitest.state.getTestModules();
const tests = modules.flatMap(testsOf).filter(isWanted);
const passed = tests.filter((test) => test.result().state === "passed").length;
const broken = modules.filter(isBroken).length + vitest.state.getUnhandledErrors().length;
const failed = tests.length - passed + broken;
await vitest.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);

function testsOf(module: TestModule) {
  return [...module.children.allTests()];
}

/** `-t pattern` leaves the other tests out on purpose. */
function isWanted(test: ReturnType<typeof testsOf>[number]): boolean {
  return vitest.config.testNamePattern?.test(test.fullName) ?? true;
}

/** Failed without a failed test to show for it, such as by an import or an `afterAll`. */
function isBroken(module: TestModule): boolean {
  return !module.ok() && testsOf(module).every((test) => test.result().state === "passed");
}
