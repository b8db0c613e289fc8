/** Copies that are to stay: made again when one is lost, never fewer than there were. */
import { describe, expect, it } from "vitest";
import { FAST, type Config } from "../../src/core/config.ts";
import { partitionStateAt } from "../../src/core/coordinator/partition-state.ts";
import { completeAt } from "../../src/core/coordinator/wanted.ts";
import { NodeId, PartitionId } from "../../src/data/ids.ts";
import type { ClusterMessage, Sender } from "../../src/protocol/cluster-messages.ts";
import type { AckLevel } from "../../src/protocol/ops.ts";
import { Stage } from "../scripts/stage.ts";

const P = PartitionId(0);
const N = (n: number): NodeId => NodeId(`n${n}`);

/** n1 is the owner of the only partition. */
function cluster(settings: Partial<Config>): Stage {
  const stage = new Stage({ ...FAST, partitionCount: 1, backupCount: 1, ...settings });
  stage.ask({ type: "FETCH_PARTITION_TABLE" });
  stage.live(2_000);
  expect(completeAt(entryOf(stage))[0]).toBe(N(1));
  return stage;
}

function entryOf(stage: Stage) {
  const entry = stage.coordinator.disk.entries.get(P);
  if (!entry) throw new Error("there is no table yet");
  return entry;
}

const silence = (stage: Stage, side: readonly Sender[], type?: ClusterMessage["type"]): void => {
  stage.cut = (from, to, message) =>
    message.type === type ||
    (from !== "front" && to !== "front" && side.includes(from) !== side.includes(to));
};

let seq = 0;
function put(stage: Stage, at: NodeId, key: string, ack: AckLevel): number {
  const stamp = { millis: stage.now, counter: ++seq, node: "client" };
  const op = { map: "m", key, stamp, value: Uint8Array.of(1), expiresAt: null };
  stage.client(at, { type: "OPS", seq, ops: [op], ack });
  return seq;
}

const isAcked = (stage: Stage, n: number): boolean =>
  stage.answers.some((a) => a.type === "ACK" && a.seq === n && a.exceptions.length === 0);

/** Somebody reads at these nodes all the while, so that they say that they are there. */
function work(stage: Stage, ms: number, at: readonly NodeId[]): void {
  for (const end = stage.now + ms; stage.now < end; stage.live(100))
    for (const id of at)
      stage.client(id, { type: "GET", seq: 0, keys: [{ map: "m", key: "other" }] });
}

const hasKey = (stage: Stage, id: NodeId, key: string): boolean =>
  stage.node(id).rows.read(P, [{ map: "m", key, kind: "lww", sub: "" }])[0] !== undefined;

describe("a partition with a backup", () => {
  it("whose owner is lost is served by the backup, and backed up again [I6, I8]", () => {
    const stage = cluster({ initialNodes: 3 });
    const [owner, backup] = completeAt(entryOf(stage));
    if (!owner || !backup) throw new Error("there is no backup");
    const [other] = [N(1), N(2), N(3)].filter((id) => id !== owner && id !== backup);
    if (!other) throw new Error("there is no other node");
    const write = put(stage, owner, "k", "backup");
    stage.live(100);
    expect(isAcked(stage, write)).toBe(true);
    expect(hasKey(stage, other, "k")).toBe(false);
    silence(stage, [owner]);
    work(stage, 4_000, [backup, other]);
    expect(completeAt(entryOf(stage))).toEqual([backup, other]);
    expect(hasKey(stage, other, "k")).toBe(true);
    stage.cut = () => false;
    work(stage, 4_000, [N(1), N(2), N(3)]);
    expect(entryOf(stage).holders).toHaveLength(2);
  });

  it("that an eviction gives to another node gets a backup again [I8]", () => {
    const stage = cluster({ initialNodes: 5 });
    const lost = completeAt(entryOf(stage));
    const others = [1, 2, 3, 4, 5].map(N).filter((id) => !lost.includes(id));
    silence(stage, lost);
    work(stage, 6_000, others);
    expect(entryOf(stage).ruling.owner).toBeNull();
    for (const nodeId of lost) stage.ask({ type: "LEAVE_REQUEST", nodeId, force: true });
    work(stage, 4_000, others);
    expect(completeAt(entryOf(stage))).toHaveLength(2);
    expect(entryOf(stage).holders.filter((id) => lost.includes(id))).toEqual([]);
  });

  it("is active at its owner and unassigned elsewhere while the backup is copied", () => {
    const stage = cluster({ initialNodes: 3 });
    silence(stage, [], "COMPLETE");
    const [owner, backup] = completeAt(entryOf(stage));
    if (!owner || !backup) throw new Error("there is no backup");
    stage.ask({ type: "LEAVE_REQUEST", nodeId: backup });
    work(stage, 500, [owner]);
    const { view } = stage.coordinator.disk;
    const entry = entryOf(stage);
    expect(entry.move).toMatchObject({ purpose: "backup", phase: "replicating" });
    expect(partitionStateAt(entry, owner, view)).toBe("active");
    expect(partitionStateAt(entry, entry.move?.target ?? owner, view)).toBe("unassigned");
    expect(completeAt(entry)).toEqual([owner, backup]);
  });
});
