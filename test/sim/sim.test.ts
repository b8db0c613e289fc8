import { describe, expect, it } from "vitest";
import { NEMESES } from "./nemeses/storm.ts";
import { FIRST_CALLED, FIRST_FORGETFUL, FIRST_SDK, FIRST_STORM, FIRST_WILD } from "./options.ts";
import { runSeeds } from "./run-seeds.ts";
import { World } from "./world.ts";

const SEEDS = 80;
const STORMS = 120;
const FORGETFUL = 20;
const SDKS = 30;
const CALLED = 30;

/**
 * Nothing is forgotten in runs that are shorter than the retention, only storms have sets, counters and subscribers, and only some
 * of these the clients of production, or actors.
 */
const RARE = ["I3", "I13", "R-collect", "R-set", "R-count", "I17", "R-client", "R-view"];
const judgedIn = (summary: Record<string, number>): [string, number][] =>
  Object.entries(summary).filter(
    ([name]) => name.endsWith("judged") && !RARE.some((id) => name.startsWith(id)),
  );

describe("a cluster on a bad network", () => {
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
      for (const [name, value] of judgedIn(summary)) expect(value, name).toBeGreaterThan(SEEDS / 2);
    },
  );

  it(`and in storms, of every nemesis enough (${STORMS} seeds)`, { timeout: 300_000 }, () => {
    const { summary, failure } = runSeeds(FIRST_WILD, STORMS);
    expect(failure, failure?.message).toBeNull();
    const count = (name: string): number => summary[name] ?? 0;
    for (const { name } of NEMESES) expect(count(name), name).toBeGreaterThan(STORMS / 5);
    expect(count("ghosts told")).toBeGreaterThan(STORMS);
    expect(count("ghosts that found out")).toBeGreaterThan(STORMS / 10);
    expect(count("runs of more than 8 nodes")).toBeGreaterThan(STORMS / 40);
    expect(count("completed")).toBeGreaterThan(STORMS);
    for (const name of ["deaths", "failovers", "terms", "cancelled", "failed", "retried"])
      expect(count(name), name).toBeGreaterThan(5);
    for (const name of ["nodes destroyed", "evicted", "backed up rows judged at a failover"])
      expect(count(name), name).toBeGreaterThan(STORMS / 4);
    expect(count("writes lost with a node")).toBeGreaterThan(STORMS);
    expect(count("claimed")).toBeGreaterThan(STORMS / 80);
    expect(count("claimed from an owner")).toBeGreaterThan(STORMS / 2);
    expect(count("R-set judged")).toBeGreaterThan(5 * STORMS);
    expect(count("R-count judged")).toBeGreaterThan(STORMS);
    expect(count("I17 judged")).toBeGreaterThan(100 * STORMS);
    expect(count("rows of sets and counters told to subscribers")).toBeGreaterThan(5 * STORMS);
    for (const [name, value] of judgedIn(summary)) expect(value, name).toBeGreaterThan(STORMS / 2);
  });

  it(
    `and forgets what is deleted, while objects are away for longer (${FORGETFUL} seeds)`,
    { timeout: 300_000 },
    () => {
      const { summary, failure } = runSeeds(FIRST_FORGETFUL, FORGETFUL);
      expect(failure, failure?.message).toBeNull();
      const count = (name: string): number => summary[name] ?? 0;
      for (const name of ["rows collected by owners", "rows collected by copies"])
        expect(count(name), name).toBeGreaterThan(5 * FORGETFUL);
      expect(count("R-collect judged")).toBeGreaterThan(10 * FORGETFUL);
      expect(count("rows lost behind a backup")).toBeGreaterThan(FORGETFUL);
      expect(count("partitions repaired")).toBeGreaterThan(FORGETFUL / 3);
      for (const name of ["absences that ended", "deaths", "failovers", "offered"])
        expect(count(name), name).toBeGreaterThan(FORGETFUL / 2);
    },
  );

  it(
    `and is what its clients in production take it for (${SDKS} seeds)`,
    { timeout: 300_000 },
    () => {
      const { summary, failure } = runSeeds(FIRST_SDK, SDKS);
      expect(failure, failure?.message).toBeNull();
      const count = (name: string): number => summary[`clients: ${name}`] ?? 0;
      for (const name of ["offline spans", "sockets broken", "sockets broken in silence"])
        expect(count(name), name).toBeGreaterThan(2 * SDKS);
      for (const name of ["notices NOT_OWNER", "deltas of the map", "pings"])
        expect(count(name), name).toBeGreaterThan(5 * SDKS);
      for (const name of [
        "answers NOT_OWNER",
        "answers CLOCK_DRIFT",
        "stamped again after a refusal",
      ])
        expect(count(name), name).toBeGreaterThan(SDKS / 6);
      for (const name of ["operations sent again", "stamped again", "settled superseded"])
        expect(count(name), name).toBeGreaterThan(50 * SDKS);
      for (const name of ["settled stored", "settled value"])
        expect(count(name), name).toBeGreaterThan(100 * SDKS);
      for (const name of ["refused after all patience", "not taken OUTBOX_FULL"])
        expect(count(name), name).toBeGreaterThan(SDKS);
      for (const name of ["followers: synced", "followers: digest", "followers: behind"])
        expect(count(name), name).toBeGreaterThan(2 * SDKS);
      expect(count("followers: changed")).toBeGreaterThan(50 * SDKS);
      expect(summary["R-view judged"]).toBeGreaterThan(5 * SDKS);
      expect(summary["R-client judged"]).toBeGreaterThan(300 * SDKS);
      expect(summary["R-count judged"]).toBeGreaterThan(5 * SDKS);
      expect(summary["R-read judged"]).toBeGreaterThan(100 * SDKS);
    },
  );

  it(`and executes each command of its actors once (${CALLED} seeds)`, { timeout: 300_000 }, () => {
    const { summary, failure } = runSeeds(FIRST_CALLED, CALLED);
    expect(failure, failure?.message).toBeNull();
    const count = (name: string): number => summary[name] ?? 0;
    expect(count("commands answered")).toBeGreaterThan(200 * CALLED);
    expect(count("entries of journals")).toBeGreaterThan(100 * CALLED);
    expect(count("slow decisions")).toBeGreaterThan(10 * CALLED);
    expect(count("actors given up by force")).toBeLessThan(2 * CALLED);
    for (const name of ["completed", "failovers", "nodes destroyed"])
      expect(count(name), name).toBeGreaterThan(CALLED / 3);
    expect(count("I3 judged")).toBeGreaterThan(20 * CALLED);
    expect(count("I13 judged")).toBeGreaterThan(300 * CALLED);
  });

  it.each([7, 11, 358, FIRST_STORM + 5, FIRST_SDK + 5, FIRST_CALLED + 5])(
    "is the same run twice for the same seed (%i)",
    (seed) => {
      const traces = [new World(seed), new World(seed)].map((world) => {
        world.run();
        return world.trace;
      });
      expect(traces[0]?.length).toBeGreaterThan(100);
      expect(traces[0]).toEqual(traces[1]);
    },
  );
});
