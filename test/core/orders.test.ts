/** What an operator has ordered of nodes, and asks of the cluster, over failures and silence. */
import { describe, expect, it } from "vitest";
import { FAST } from "../../src/core/config.ts";
import { PartitionId } from "../../src/data/ids.ts";
import type { CoordinatorSaved } from "../../src/core/coordinator/state.ts";
import type { ClusterMessage, Sender } from "../../src/protocol/cluster-messages.ts";
import type { Stage } from "../scripts/stage.ts";
import {
  A,
  ADD_ONE,
  B,
  C,
  D,
  P,
  cluster,
  concerns,
  evict,
  entryOf,
  put,
  silence,
  stateOf,
  work,
} from "./trio.ts";

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

const LATE: ReadonlySet<ClusterMessage["type"]> = new Set<ClusterMessage["type"]>([
  "COMPLETE",
  "JOIN_REQUEST",
]);

/** With a majority cut off, what the owner says of a copy that is complete waits, and whatever is sent after it. */
function waiting(stage: Stage, orders: () => void): void {
  const apart = (id: Sender): boolean => id === B || id === C;
  const isCut = (from: Sender, to: Sender): boolean =>
    [from, to].includes("coordinator") && (apart(from) || apart(to));
  stage.cut = (from, to, { type }) => LATE.has(type) || isCut(from, to);
  work(stage, FAST.maxNoHeartbeatMs + 200, [A]);
  stage.cut = (from, to, { type }) => type === "JOIN_REQUEST" || isCut(from, to);
  const until = (line: string): void => {
    stage.lines.splice(0);
    while (!stage.lines.some((said) => said.startsWith(line))) work(stage, 100, [A]);
  };
  until("n1 → coordinator COMPLETE");
  stage.cut = isCut;
  if (stage.coordinator.disk.view.members.length > 3) until("n4 → coordinator JOIN_REQUEST");
  orders();
  work(stage, 50, [A]);
  expect(entryOf(stage)?.move?.phase).toBe("replicating");
}

/** How many of what the coordinator says, as soon as it has saved what it says, were looked at. */
function saidOf(
  stage: Stage,
  gone: readonly Sender[],
  look: (message: ClusterMessage, saved: CoordinatorSaved) => boolean,
): () => number {
  let count = 0;
  stage.cut = (from, to, message) => {
    if (from === "coordinator" && look(message, stage.coordinator.disk)) count++;
    return concerns(gone, from, to);
  };
  return () => count;
}

describe("two rulings on one partition that waited for the same quorum", () => {
  it("are one to everybody who hears of them: what was never saved is not said [I16, sim seed 102864]", () => {
    const stage = cluster();
    work(stage, 500);
    silence(stage, [], "COMPLETE");
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: B });
    work(stage, 500);
    waiting(stage, () => stage.ask({ type: "CANCEL_MOVE", partitionId: P }));
    const before = entryOf(stage)?.ruling.epoch;
    stage.lines.splice(0);
    silence(stage, []);
    work(stage, 2_000);
    const after = entryOf(stage)?.ruling.epoch;
    const said = stage.lines.flatMap((line) => /→.* ruling \{(\d+):/.exec(line)?.[1] ?? []);
    expect(said).toContain(`${after}`);
    expect(said.filter((epoch) => ![`${before}`, `${after}`].includes(epoch))).toEqual([]);
  });

  it("are one to who joins between them, and so are table and view [I12, I16, sim seed 1111003]", () => {
    const stage = cluster();
    work(stage, 500);
    stage.cut = (_, __, { type }) => LATE.has(type);
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: B });
    stage.ask(ADD_ONE);
    work(stage, 500);
    waiting(stage, () => {
      stage.ask({ type: "CANCEL_MOVE", partitionId: P });
      stage.ask({ type: "DRAIN_NODE", nodeId: C });
    });
    const before = entryOf(stage)?.ruling.epoch ?? 0;
    const looked = saidOf(stage, [], (message, { entries, cluster: saved, view }) => {
      if (message.type !== "JOIN_RESPONSE") return false;
      const { partitionAssignments, tableVersion, membersView } = message;
      expect(partitionAssignments).toEqual([...entries.values()].map(({ ruling }) => ruling));
      expect(tableVersion).toBe(saved?.tableVersion);
      expect(membersView).toEqual(view);
      return true;
    });
    work(stage, 2_000);
    expect(looked()).toBeGreaterThan(0);
    expect(entryOf(stage)?.ruling.epoch).toBeGreaterThan(before + 1);
  });
});

describe("two nodes that are evicted at the same moment", () => {
  it("are both told the table in which neither owns anything [I12]", () => {
    const stage = cluster({ partitionCount: 8 });
    work(stage, 500);
    silence(stage, [B, C]);
    stage.coordinator.crash();
    stage.ask(evict(B));
    stage.ask(evict(C));
    work(stage, 50, [A]);
    expect(owned(stage, B) * owned(stage, C)).toBeGreaterThan(0);
    const looked = saidOf(stage, [B, C], (message, { entries, cluster: saved }) => {
      if (message.type !== "PARTITION_TABLE_UPDATE") return false;
      const { baseVersion, assignments, version } = message;
      const since = [...entries.values()].filter((entry) => entry.version > baseVersion);
      expect(assignments).toEqual(since.map(({ ruling }) => ruling));
      expect(version).toBe(saved?.tableVersion);
      return true;
    });
    work(stage, 2_000, [A]);
    expect(looked()).toBeGreaterThan(1);
    expect(owned(stage, A)).toBe(8);
  });
});

describe("a node that is dead and says that it is there, so that an order need not wait any more", () => {
  it("is told the view that is saved, not one before others were judged [I12]", () => {
    const stage = cluster({ partitionCount: 8 });
    work(stage, 500);
    silence(stage, [C]);
    work(stage, 6_000, [A, B]);
    expect(stateOf(stage, C)).toBe("dead");
    silence(stage, [B, C]);
    work(stage, FAST.maxNoHeartbeatMs + 400, [A]);
    stage.ask(ADD_ONE);
    work(stage, 100, [A]);
    expect(stateOf(stage, D)).toBeUndefined();
    const looked = saidOf(stage, [B], (message, { view }) => {
      if (message.type !== "MEMBERS_UPDATE") return false;
      expect(message.view).toEqual(view);
      return true;
    });
    work(stage, 500, [A, C]);
    expect([stateOf(stage, B), stateOf(stage, D)]).toEqual(["suspect", "active"]);
    expect(looked()).toBeGreaterThan(0);
  });
});
