import { describe, expect, it } from "vitest";
import { computeAssignment } from "../../../src/core/placement/assign.ts";
import { backupLoads, node, nodes, ownerLoads, placed, spreadOf, unplaced } from "./clusters.ts";

const PARTITIONS = 16_384;
const config = { backupCount: 1 };
const thousand = nodes(1000);

describe(`1,000 nodes, ${PARTITIONS} partitions, one backup: even`, () => {
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
    const after = computeAssignment(on, current, config);
    expect(spreadOf(ownerLoads(on, after))).toBeLessThanOrEqual(1);
    expect(spreadOf(backupLoads(on, after))).toBeLessThanOrEqual(1);
    for (const { owner, backups } of after) {
      expect(owner).not.toBeNull();
      expect(backups).toHaveLength(1);
      expect(backups).not.toContain(owner);
    }
  });
});
