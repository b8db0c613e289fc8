/** What an operator has ordered of nodes, and asks of the cluster, over failures and silence. */
import { describe, expect, it } from "vitest";
import { FAST } from "../../src/core/config.ts";
import { PartitionId } from "../../src/data/ids.ts";
import type { Sender } from "../../src/protocol/cluster-messages.ts";
import type { Stage } from "../scripts/stage.ts";
import { A, B, C, P, cluster, entryOf, put, silence, stateOf, work } from "./trio.ts";

const owned = (stage: Stage, by: string): number =>
  [...stage.coordinator.disk.entries.values()].filter(({ ruling }) => ruling.owner === by).length;

function told(stage: Stage): string {
  const lines = stage.lines.filter((line) => line.startsWith("  operator: "));
  stage.lines.splice(0);
  return lines.join("\n");
}

describe("an operator's order", () => {
  it("to leave holds for a node that was given up meanwhile: it leaves when it is back [I11]", () => {
    const stage = cluster({ partitionCount: 8 });
    put(stage, A, "k", 1);
    work(stage, 500);
    silence(stage, [], "MIGRATE_DATA");
    stage.ask({ type: "LEAVE_REQUEST", nodeId: A });
    work(stage, 200);
    expect(stateOf(stage, A)).toBe("leaving");
    silence(stage, [A], "MIGRATE_DATA");
    work(stage, 6_000, [B, C]);
    expect(stateOf(stage, A)).toBe("dead");
    stage.cut = () => false;
    work(stage, 20_000);
    expect(stateOf(stage, A)).toBeUndefined();
    expect(owned(stage, A)).toBe(0);
  });

  it("to drain holds for a node that was given up meanwhile", () => {
    const stage = cluster({ partitionCount: 8 });
    work(stage, 500);
    stage.ask({ type: "DRAIN_NODE", nodeId: B });
    work(stage, 2_000);
    expect(owned(stage, B)).toBe(0);
    silence(stage, [B]);
    work(stage, 6_000, [A, C]);
    expect(stateOf(stage, B)).toBe("dead");
    stage.cut = () => false;
    work(stage, 20_000);
    expect(stateOf(stage, B)).toBe("active");
    expect(owned(stage, B)).toBe(0);
  });

  it("moves no partition to a node that is being drained", () => {
    const stage = cluster({ partitionCount: 8 });
    work(stage, 500);
    stage.ask({ type: "DRAIN_NODE", nodeId: B });
    work(stage, 2_000);
    told(stage);
    stage.ask({ type: "MOVE_PARTITION", partitionId: PartitionId(0), to: B });
    work(stage, 500);
    expect(told(stage)).toBe("  operator: ERROR NODE_NOT_ACTIVE");
    expect(owned(stage, B)).toBe(0);
  });
});

describe("the report of a cluster", () => {
  const quorumIn = (stage: Stage): string | undefined => {
    told(stage);
    stage.ask({ type: "FETCH_CLUSTER" });
    stage.live(10);
    return /quorum (\w+)/.exec(told(stage))?.[1];
  };

  it("says that there is a quorum, that there is none, or that nobody was asked", () => {
    const stage = cluster();
    work(stage, 500);
    expect(quorumIn(stage)).toBe("yes");
    stage.live(10 * FAST.idleAfterMs);
    expect(quorumIn(stage)).toBe("unknown");
    silence(stage, [A, B]);
    stage.ask({ type: "REBALANCE" });
    stage.ask({ type: "MOVE_PARTITION", partitionId: PartitionId(0), to: C });
    stage.live(100);
    expect(quorumIn(stage)).toBe("no");
  });
});

describe("two rulings on one partition that waited for the same quorum", () => {
  it("are one to everybody who hears of them: what was never saved is not said [I16, sim seed 102864]", () => {
    const stage = cluster();
    work(stage, 500);
    silence(stage, [], "COMPLETE");
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: B });
    work(stage, 500);
    const apart = (id: Sender): boolean => id === B || id === C;
    const isCut = (from: Sender, to: Sender): boolean =>
      [from, to].includes("coordinator") && (apart(from) || apart(to));
    stage.cut = (from, to, { type }) => type === "COMPLETE" || isCut(from, to);
    work(stage, FAST.maxNoHeartbeatMs + 200, [A]);
    stage.cut = isCut;
    stage.lines.splice(0);
    while (!stage.lines.some((line) => line.startsWith("n1 → coordinator COMPLETE")))
      work(stage, 100, [A]);
    stage.ask({ type: "CANCEL_MOVE", partitionId: P });
    work(stage, 50, [A]);
    expect(entryOf(stage)?.move?.phase).toBe("replicating");
    const before = entryOf(stage)?.ruling.epoch;
    stage.lines.splice(0);
    silence(stage, []);
    work(stage, 2_000);
    const after = entryOf(stage)?.ruling.epoch;
    const said = stage.lines.flatMap((line) => /→.* ruling \{(\d+):/.exec(line)?.[1] ?? []);
    expect(said).toContain(`${after}`);
    expect(said.filter((epoch) => ![`${before}`, `${after}`].includes(epoch))).toEqual([]);
  });
});
