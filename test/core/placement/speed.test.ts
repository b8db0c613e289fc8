import { describe, expect, it } from "vitest";
import { computeAssignment } from "../../../src/core/placement/assign.ts";
import { backupLoads, node, nodes, placed, spreadOf, unplaced } from "./clusters.ts";

const PARTITIONS = 16_384;
const LIMIT_MS = 300;
const config = { backupCount: 1 };
const thousand = nodes(1000);

/** The fastest of a few: what it takes when nothing else runs. */
function fastestMs(work: () => unknown): number {
  const times = Array.from({ length: 4 }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  return Math.min(...times);
}

describe(`1,000 nodes, ${PARTITIONS} partitions, one backup: less than ${LIMIT_MS} ms`, () => {
  const before = placed(thousand, PARTITIONS, 1);

  it.each([
    ["from nothing", thousand, unplaced(PARTITIONS)],
    ["nothing to do", thousand, before],
    ["a node joins", nodes(1001), before],
    ["a hundred nodes leave", nodes(900), before],
    ["five hundred nodes join", thousand, placed(nodes(500), PARTITIONS, 1)],
    [
      "four regions",
      thousand.map(({ nodeId }, i) => node(nodeId, 1, `r${i % 4}`)),
      unplaced(PARTITIONS),
    ],
  ])("%s", (_, on, current) => {
    expect(fastestMs(() => computeAssignment(on, current, config))).toBeLessThan(LIMIT_MS);
  });

  it("and even", () => {
    expect(spreadOf(backupLoads(thousand, before))).toBe(1);
  });
});
