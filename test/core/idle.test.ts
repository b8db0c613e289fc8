/** What cannot be finished costs next to nothing while nobody works, and goes on soon when somebody does. */
import { describe, expect, it } from "vitest";
import { DEFAULTS, FAST, type Config } from "../../src/core/config.ts";
import { partitionOf } from "../../src/data/hash.ts";
import { NodeId, PartitionId } from "../../src/data/ids.ts";
import type { Sender } from "../../src/protocol/cluster-messages.ts";
import { Stage } from "../scripts/stage.ts";
import { ADD_ONE, restore, told, wakesPerHour } from "./trio.ts";

const [A, B, C] = [NodeId("n1"), NodeId("n2"), NodeId("n3")];
const P = PartitionId(0);
const KEYS = Array.from({ length: 99 }, (_, i) => `k${i}`);

function cluster(base: Config): Stage {
  const stage = new Stage({ ...base, backupCount: 1, initialNodes: 3, partitionCount: 4 });
  stage.ask({ type: "FETCH_PARTITION_TABLE" });
  stage.live(5_000);
  return stage;
}

const cutOff = (stage: Stage, away: readonly Sender[]): void => {
  stage.cut = (from, to) =>
    from !== "front" && to !== "front" && away.includes(from) !== away.includes(to);
};

function work(stage: Stage, at: readonly NodeId[], ms: number, key = "other"): void {
  for (const end = stage.now + ms; stage.now < end; stage.live(100))
    for (const id of at) stage.client(id, { type: "GET", seq: 0, keys: [{ map: "m", key }] });
}

/** One that this node owns, so that it asks nobody else for it. */
function ownKey(stage: Stage, id: NodeId): string {
  const owns = (key: string): boolean =>
    stage.coordinator.disk.entries.get(PartitionId(partitionOf(key, 4)))?.ruling.owner === id;
  return KEYS.find(owns) ?? "";
}

const KEY = KEYS.find((key) => partitionOf(key, 4) === P) ?? "";

function write(stage: Stage, at: NodeId, value: number): void {
  const stamp = { millis: stage.now, counter: value, node: "client" };
  const op = { map: "m", key: KEY, stamp, value: Uint8Array.of(value), expiresAt: null };
  stage.client(at, { type: "OPS", seq: value, ops: [op], ack: "owner" });
}

function valueAt(stage: Stage, id: NodeId): number | undefined {
  const [found] = stage.node(id).rows.read(P, [{ map: "m", key: KEY, kind: "lww", sub: "" }]);
  return found?.row.value?.[0];
}

/** From a copy of earlier, and one node is not there to tell what it knows. */
function restored(): Stage {
  const stage = cluster(FAST);
  const copy = stage.coordinator.disk;
  stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: C });
  stage.live(3_000);
  restore(stage, copy);
  cutOff(stage, [A]);
  work(stage, [B, C], 3_000);
  expect(stage.coordinator.disk.cluster?.unheard).toEqual([A]);
  return stage;
}

function grow(stage: Stage): readonly string[] {
  stage.lines.splice(0);
  stage.ask(ADD_ONE);
  stage.live(1_000);
  return told(stage);
}

/** Pauses grow to a minute, or two with the least luck. */
const FEW = 300;

describe("an idle cluster", () => {
  it.each([
    ["DEFAULTS", DEFAULTS],
    ["FAST", FAST],
  ])("without a quorum hardly ever wakes, and obeys when it has one again [I8]: %s", (_, base) => {
    const stage = cluster(base);
    cutOff(stage, [A, B]);
    work(stage, [C], 20_000);
    const wakes = wakesPerHour(stage);
    expect(wakes).toBeGreaterThan(0);
    expect(wakes).toBeLessThan(FEW);
    stage.cut = () => false;
    expect(grow(stage)).toEqual(["  operator: NODES_ADDED"]);
  });

  it("that was restored hardly ever wakes while it waits for one that is gone [I8]", () => {
    const stage = restored();
    const wakes = wakesPerHour(stage);
    expect(wakes).toBeGreaterThan(0);
    expect(wakes).toBeLessThan(FEW);
    stage.cut = () => false;
    work(stage, [B], 1.1 * stage.config.retryMsMax, ownKey(stage, B));
    expect(stage.coordinator.disk.cluster?.unheard).toBeNull();
  });

  it("is another matter: where somebody works, one that is back is asked soon [I8]", () => {
    const stage = restored();
    const workAlone = (ms: number): void => {
      for (const end = stage.now + ms; stage.now < end;)
        for (const id of [B, C]) work(stage, [id], 100, ownKey(stage, id));
    };
    workAlone(310_000);
    expect(stage.coordinator.disk.cluster?.unheard).toEqual([A]);
    stage.cut = () => false;
    workAlone(1.1 * stage.config.retryMsMax);
    expect(stage.coordinator.disk.cluster?.unheard).toBeNull();
  });

  it("hardly ever asks a copy that nobody waits for, and soon once somebody writes [I8]", () => {
    const stage = cluster(FAST);
    const { owner, copies } = stage.coordinator.disk.entries.get(P)?.ruling ?? {};
    const copy = copies?.[0]?.nodeId;
    if (!owner || !copy) throw new Error("nobody owns it, or there is no copy");
    write(stage, owner, 1);
    stage.live(1_000);
    stage.cut = (from, to) => [from, to].includes(owner) && [from, to].includes(copy);
    write(stage, owner, 2);
    work(stage, [A, B, C], 3_000);
    const wakes = wakesPerHour(stage);
    expect(wakes).toBeGreaterThan(0);
    expect(wakes).toBeLessThan(FEW);
    expect(stage.coordinator.disk.entries.get(P)?.ruling.copies[0]?.nodeId).toBe(copy);
    expect(valueAt(stage, copy)).toBe(1);
    stage.cut = () => false;
    write(stage, owner, 3);
    stage.live(stage.config.retryMsMin + stage.config.retryMsMax + 100);
    expect(valueAt(stage, copy)).toBe(3);
  });
});
