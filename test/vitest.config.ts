import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { LongFirst } from "./order.ts";

/** Runs inside workerd: everything in `test/workerd`, and the contract suites that name it. */
const inWorkerd = { workers: "test/workerd/**/*.test.ts", contract: "test/**/*.workerd.test.ts" };

/** A deliberately reset object is what some tests are about, so it is no unhandled error. */
const onUnhandledError = (error: object): boolean | void => {
  if ("durableObjectReset" in error && error.durableObjectReset === true) return false;
};

export default defineConfig({
  test: {
    sequence: { sequencer: LongFirst },
    // Most of what is long waits for timers.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "node",
          include: ["test/**/*.test.ts"],
          exclude: Object.values(inWorkerd),
          testTimeout: 60_000,
        },
      },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: "./wrangler.toml" } })],
        test: {
          name: "workers",
          include: [inWorkerd.workers],
          exclude: [inWorkerd.contract],
          testTimeout: 60_000,
        },
      },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: "./test/contract/wrangler.toml" } })],
        test: { name: "contract", include: [inWorkerd.contract], testTimeout: 60_000 },
      },
    ],
    onUnhandledError,
  },
});
