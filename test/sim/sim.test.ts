import { describe, expect, it } from "vitest";
import { runSeeds } from "./run-seeds.ts";
import { World } from "./world.ts";

const SEEDS = 300;

describe("a cluster in a storm", () => {
  it(
    `keeps every invariant, and does enough to mean something (${SEEDS} seeds)`,
    { timeout: 300_000 },
    () => {
      const { summary, failure } = runSeeds(1, SEEDS);
      expect(failure, failure?.message).toBeNull();
      const count = (name: string): number => summary[name] ?? 0;
      expect(count("completed")).toBeGreaterThan(SEEDS);
      expect(count("crashes")).toBeGreaterThan(SEEDS);
      expect(count("endedByDelta"), "maps").toBeGreaterThan(SEEDS / 6);
      for (const name of ["cancelled", "failed", "retried", "gaps", "groups"])
        expect(count(name), name).toBeGreaterThan(5);
      for (const name of ["unstamped", "scanned", "writes that expire", "writes of many bytes"])
        expect(count(name), name).toBeGreaterThan(10 * SEEDS);
      for (const phase of ["quiet", "copying", "closing", "ready", "finalizing"])
        expect(count(`writes while ${phase}`), phase).toBeGreaterThan(100);
      for (const [name, value] of Object.entries(summary))
        if (name.endsWith("judged")) expect(value, name).toBeGreaterThan(SEEDS / 2);
    },
  );

  it.each([7, 11, 358])("is the same run twice for the same seed (%i)", (seed) => {
    const traces = [new World(seed), new World(seed)].map((world) => {
      world.run();
      return world.trace;
    });
    expect(traces[0]?.length).toBeGreaterThan(100);
    expect(traces[0]).toEqual(traces[1]);
  });
});
