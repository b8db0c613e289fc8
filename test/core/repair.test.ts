/** A repair on demand finds what differs behind everybody's back, and mends it in both directions. */
import { describe, expect, it } from "vitest";
import type { Config } from "../../src/core/config.ts";
import { bucketOf } from "../../src/data/digest.ts";
import { NodeId, PartitionId, Seq } from "../../src/data/ids.ts";
import type { Identity, Row } from "../../src/data/row.ts";
import type { RepairReport } from "../../src/protocol/cluster-messages.ts";
import { bytesOf } from "../scripts/show.ts";
import { Stage } from "../scripts/stage.ts";

const N1 = NodeId("n1");
const N2 = NodeId("n2");
const P = PartitionId(0);
const ROWS = 600;
const EVERYTHING = { rowsMax: 10_000, bytesMax: 1e8 };

const entry = (key: string): Identity => ({ map: "m", key, kind: "lww", sub: "" });

function filled(settings: Partial<Config> = {}): Stage {
  const stage = new Stage({ initialNodes: 2, partitionCount: 1, backupCount: 1, ...settings });
  stage.ask({ type: "FETCH_PARTITION_TABLE" });
  stage.live(20_000);
  const ops = Array.from({ length: ROWS }, (_, i) => {
    const stamp = { millis: stage.now, counter: i, node: "client" };
    return { map: "m", key: `k${i}`, stamp, value: bytesOf(`${i}`), expiresAt: null };
  });
  stage.client(N1, { type: "OPS", seq: 1, ops });
  stage.settle();
  return stage;
}

/** What a disk has lost or got nobody knows of: whoever remembers the rows must have forgotten them. */
function damage(stage: Stage, at: NodeId, lost: readonly string[], got: readonly Row[] = []): void {
  const { rows } = stage.node(at);
  rows.remove(P, lost.map(entry));
  rows.write(
    P,
    got.map((row) => ({ row, seq: Seq(1) })),
  );
  stage.node(at).crash();
}

const rowsAt = (stage: Stage, id: NodeId): readonly Row[] =>
  stage
    .node(id)
    .rows.page(P, null, EVERYTHING)
    .rows.map(({ row }) => row);

function report(stage: Stage): RepairReport["repair"] {
  const answers: RepairReport[] = [];
  const { clusterId: cluster } = stage;
  const { term } = stage.node(N1).disk.self;
  const message = { type: "FETCH_REPAIR" } as const;
  stage.receive({ cluster, from: "front", to: "coordinator", message, call: 1e6, term }, (said) => {
    if (said.message.type === "REPAIR_REPORT") answers.push(said.message);
  });
  stage.live(10);
  return answers[0]?.repair ?? null;
}

/** Rows that travelled, as chunks or pulled, from when it was asked to the end. */
function repaired(stage: Stage): number {
  let rows = 0;
  stage.cut = (_from, _to, message) => {
    if (message.type === "MIGRATE_DATA") rows += message.chunk.length;
    if (message.type === "PULLED_ROWS") rows += message.rows.length;
    return false;
  };
  stage.ask({ type: "REPAIR" });
  stage.settle();
  return rows;
}

const inBucketsOf = (keys: readonly string[]): number => {
  const buckets = new Set(keys.map((key) => bucketOf(entry(key))));
  return Array.from({ length: ROWS }, (_, i) => `k${i}`).filter((key) =>
    buckets.has(bucketOf(entry(key))),
  ).length;
};

describe("a repair on demand", () => {
  it("gives a copy what it has lost, and sends only the buckets that differ", () => {
    const stage = filled();
    damage(stage, N2, ["k3", "k77"]);
    expect(rowsAt(stage, N2)).toHaveLength(ROWS - 2);
    const travelled = repaired(stage);
    expect(rowsAt(stage, N2)).toEqual(rowsAt(stage, N1));
    const concerned = inBucketsOf(["k3", "k77"]);
    // There and back: the copy shows what it has of them, too.
    expect(travelled).toBe(2 * concerned);
    expect(concerned).toBeLessThan(ROWS / 50);
    expect(report(stage)).toMatchObject({
      nodesAsked: 1,
      nodesDone: 1,
      figures: { toCompare: 1, compared: 1, differing: 1, rowsSent: concerned, rowsTaken: 0 },
    });
    expect(report(stage)?.finishedAtMs).not.toBeNull();
  });

  it("gives an owner what it has lost, and what only a copy has", () => {
    const stage = filled();
    const stamp = { millis: 5_000, counter: 0, node: "elsewhere" };
    const alone: Row = { ...entry("alone"), stamp, value: bytesOf("x"), expiresAt: null };
    damage(stage, N1, ["k3", "k77", "k100"]);
    damage(stage, N2, [], [alone]);
    repaired(stage);
    expect(rowsAt(stage, N1)).toHaveLength(ROWS + 1);
    expect(rowsAt(stage, N2)).toEqual(rowsAt(stage, N1));
    expect(report(stage)?.figures).toMatchObject({ compared: 1, differing: 1, rowsTaken: 4 });
  });

  it("asks on once for what comes twice [I8]", () => {
    const stage = filled({ chunkRowsMax: 4 });
    const lost = Array.from({ length: ROWS / 8 }, (_, i) => `k${i * 8}`);
    damage(stage, N1, lost);
    stage.ask({ type: "REPAIR" });
    let pages = 0;
    for (let round = 0; round < 1_000 && pages < ROWS; round++) {
      for (const letter of stage.letters.splice(0)) {
        stage.deliver(letter);
        if (letter.message.type !== "PULL_ROWS") continue;
        pages++;
        stage.deliver(stage.again(letter));
      }
      stage.advance(1);
    }
    expect(pages).toBeGreaterThan(20);
    expect(pages).toBeLessThan(ROWS);
    stage.settle();
    expect(rowsAt(stage, N1)).toEqual(rowsAt(stage, N2));
  });

  it("sends no row where nothing differs, rules on nothing, and lets everybody sleep", () => {
    const stage = filled();
    const { disk } = stage.coordinator;
    expect(repaired(stage)).toBe(0);
    expect(report(stage)?.figures).toMatchObject({ compared: 1, differing: 0, rowsSent: 0 });
    expect(stage.coordinator.disk).toBe(disk);
    for (const id of [N1, N2]) expect(stage.node(id).armed, id).toBeNull();
  });

  it("is one, however often it is asked for while it runs, and another afterwards", () => {
    const stage = filled();
    stage.ask({ type: "REPAIR" });
    stage.ask({ type: "REPAIR" });
    stage.settle();
    const first = report(stage)?.repairId;
    expect(stage.delivered.get("REPAIR")).toBe(2);
    stage.ask({ type: "REPAIR" });
    stage.settle();
    expect(report(stage)?.repairId).toBeGreaterThan(first ?? Infinity);
    expect(report(stage)?.nodesDone).toBe(1);
  });

  it("is asked for until it is done: an owner that forgets it begins anew", () => {
    const stage = filled();
    damage(stage, N2, ["k3"]);
    stage.ask({ type: "REPAIR" });
    stage.cut = (_from, _to, { type }) => type === "MIGRATE_DATA";
    stage.live(3_000);
    expect(report(stage)).toMatchObject({ finishedAtMs: null, nodesDone: 0 });
    stage.node(N1).crash();
    stage.cut = () => false;
    stage.settle();
    expect(rowsAt(stage, N2)).toEqual(rowsAt(stage, N1));
    expect(report(stage)).toMatchObject({ nodesDone: 1 });
  });

  it("ends without a copy that its owner does not hear, takes nothing from it, and says so", () => {
    const stage = filled();
    const { disk } = stage.coordinator;
    stage.cut = (from, to) => (from === N1 && to === N2) || (from === N2 && to === N1);
    stage.ask({ type: "REPAIR" });
    stage.live(stage.config.maxNoHeartbeatMs / 2);
    expect(report(stage)).toMatchObject({ finishedAtMs: null });
    stage.live(stage.config.maxNoHeartbeatMs + 2 * stage.config.retryMsMax);
    expect(report(stage)).toMatchObject({ nodesDone: 1, figures: { toCompare: 1, compared: 0 } });
    expect(report(stage)?.finishedAtMs).not.toBeNull();
    expect(stage.coordinator.disk.entries).toBe(disk.entries);
    stage.cut = () => false;
    damage(stage, N2, ["k3"]);
    repaired(stage);
    expect(report(stage)).toMatchObject({ figures: { toCompare: 1, compared: 1 } });
    expect(rowsAt(stage, N2)).toEqual(rowsAt(stage, N1));
  });
});
