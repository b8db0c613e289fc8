/** What becomes of a move when one of its nodes falls silent, or is gone. */
import { describe, expect, it } from "vitest";
import { FAST, type Config } from "../../../src/core/config.ts";
import { completeAt } from "../../../src/core/coordinator/wanted.ts";
import { isImporting, isMigrating } from "../../../src/core/node/migrations.ts";
import { NodeId, PartitionId } from "../../../src/data/ids.ts";
import { Stage } from "../../scripts/stage.ts";
import { isAcked, put, silence } from "../trio.ts";

const P = PartitionId(0);
const N = (n: number): NodeId => NodeId(`n${n}`);

function cluster(settings: Partial<Config>): Stage {
  const stage = new Stage({ ...FAST, backupCount: 0, initialNodes: 3, ...settings });
  stage.ask({ type: "FETCH_PARTITION_TABLE" });
  stage.live(2_000);
  return stage;
}

const entryOf = (stage: Stage, id = P) => {
  const entry = stage.coordinator.disk.entries.get(id);
  if (!entry) throw new Error("there is no table yet");
  return entry;
};

const phaseOf = (stage: Stage, id: NodeId): string | undefined => {
  const role = stage.node(id).disk.partitions.get(P)?.role;
  return role?.type === "owner" ? role.move?.phase : role?.type;
};

const answerTo = (stage: Stage, n: number) =>
  stage.answers.find((answer) => answer.type === "ACK" && answer.seq === n);
const hasKey = (stage: Stage, id: NodeId, key: string): boolean =>
  stage.node(id).rows.read(P, [{ map: "m", key, kind: "lww", sub: "" }])[0] !== undefined;

/** Somebody reads at these nodes all the while, so that they say that they are there. */
function work(stage: Stage, ms: number, at: readonly NodeId[]): void {
  for (const end = stage.now + ms; stage.now < end; stage.live(50))
    for (const id of at)
      stage.client(id, { type: "GET", seq: 0, keys: [{ map: "m", key: "other" }] });
}

/** The only partition is on its way from n1 to n2, and goes no further than this. */
function stuckAt(phase: "copying" | "closing"): Stage {
  const stage = cluster({ partitionCount: 1 });
  put(stage, N(1), "before", 1);
  silence(stage, [], phase === "copying" ? "COMPLETE" : "MIGRATE_READY");
  stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: N(2) });
  work(stage, 500, [N(1), N(2), N(3)]);
  expect(phaseOf(stage, N(1))).toBe(phase === "copying" ? "copying" : "ready");
  return stage;
}

describe("a move", () => {
  it.each(["copying", "closing"] as const)("its target lost at %s: revert", (phase) => {
    const stage = stuckAt(phase);
    silence(stage, [N(2)]);
    const write = put(stage, N(1), "meanwhile", 1);
    work(stage, 6_000, [N(1), N(3)]);
    expect(stage.coordinator.disk.view.members[1]).toMatchObject({ nodeId: N(2), state: "dead" });
    expect(entryOf(stage)).toMatchObject({ move: null, ruling: { owner: N(1), copies: [] } });
    expect([...stage.coordinator.disk.finished.values()][0]?.outcome).toBe("failed");
    // No marker is left at the source, which serves with everything.
    expect(stage.node(N(1)).disk.partitions.get(P)?.role).toMatchObject({
      type: "owner",
      copies: [],
      move: null,
    });
    expect(isAcked(stage, write)).toBe(true);
    for (const key of ["before", "meanwhile"]) expect(hasKey(stage, N(1), key)).toBe(true);
    stage.cut = () => false;
    work(stage, 6_000, [N(1), N(2), N(3)]);
    const { disk } = stage.node(N(2));
    expect([isImporting(disk, P), phaseOf(stage, N(2))]).toEqual([false, "none"]);
    expect(stage.node(N(2)).rows.count(P)).toBe(0);
  });

  it("source lost: its backup takes over and the move restarts", () => {
    const stage = cluster({ partitionCount: 4, backupCount: 1, maxParallelMigrations: 8 });
    silence(stage, [], "COMPLETE");
    stage.ask({ type: "ADD_NODES", count: 1, region: "", weight: 1 });
    work(stage, 1_000, [N(1), N(2), N(3)]);
    const entries = () => [...stage.coordinator.disk.entries.values()];
    const moving = entries().find(({ move }) => move?.purpose === "move");
    if (!moving) throw new Error("nothing moves");
    const { partitionId } = moving.ruling;
    const [source = N(1), backup = N(1)] = completeAt(moving);
    expect(moving.move).toMatchObject({ source, target: N(4), phase: "replicating" });
    expect(isMigrating(stage.node(source).disk, partitionId)).toBe(true);
    silence(stage, [source], "COMPLETE");
    const others = [N(1), N(2), N(3), N(4)].filter((id) => id !== source);
    work(stage, 6_000, others);
    const ended = () => [...stage.coordinator.disk.finished.values()];
    const failed = { partitionId, outcome: "failed", reason: "the source is lost" };
    expect(ended()).toContainEqual(expect.objectContaining(failed));
    expect(entryOf(stage, partitionId).ruling.owner).toBe(backup);
    silence(stage, [source]);
    work(stage, 10_000, others);
    const done = { purpose: "move", target: N(4), outcome: "completed" };
    expect(ended()).toContainEqual(expect.objectContaining(done));
    const loads = others.map((id) => entries().filter(({ ruling }) => ruling.owner === id).length);
    expect(loads.toSorted((a, b) => a - b)).toEqual([1, 1, 2]);
    for (const entry of entries()) expect(completeAt(entry)).toHaveLength(2);
  });

  it("its owner's backup lost while it closes: it goes on without [I8, sim seed 151424]", () => {
    const stage = cluster({ partitionCount: 1, backupCount: 1 });
    put(stage, N(1), "before", 1);
    work(stage, 500, [N(1), N(2), N(3)]);
    expect(completeAt(entryOf(stage))).toEqual([N(1), N(2)]);
    silence(stage, [N(2)]);
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: N(3) });
    work(stage, 500, [N(1), N(3)]);
    expect(phaseOf(stage, N(1))).toBe("closing");
    // Sooner than its owner would ask to be freed from it.
    stage.ask({ type: "LEAVE_REQUEST", nodeId: N(2), force: true });
    work(stage, FAST.maxNoHeartbeatMs / 2 - 100, [N(1), N(3)]);
    expect(entryOf(stage).ruling.owner).toBe(N(3));
  });

  it("dual write: while the target copies its silence delays no write, in closing it is struck; none is refused", () => {
    const copying = stuckAt("copying");
    silence(copying, [N(2)], "COMPLETE");
    const early = put(copying, N(1), "early", 1);
    copying.live(10);
    expect(isAcked(copying, early), "the source alone has it").toBe(true);
    expect(hasKey(copying, N(2), "early")).toBe(false);

    const closing = stuckAt("closing");
    const both = put(closing, N(1), "both", 1);
    closing.live(50);
    expect([isAcked(closing, both), hasKey(closing, N(2), "both")]).toEqual([true, true]);
    silence(closing, [N(2)], "MIGRATE_READY");
    const held = put(closing, N(1), "held", 1);
    closing.live(50);
    expect(answerTo(closing, held), "nobody knows what the target has").toBeUndefined();
    work(closing, FAST.maxNoHeartbeatMs + 1_000, [N(1), N(3)]);
    expect(isAcked(closing, held)).toBe(true);
    expect(entryOf(closing).ruling).toMatchObject({ owner: N(1), copies: [] });
    for (const stage of [copying, closing])
      for (const answer of stage.answers)
        if (answer.type === "ACK") expect(answer.exceptions).toEqual([]);
  });
});
