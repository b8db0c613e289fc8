/** Clusters that fall apart, in a real runtime: who may rule, what goes on all the same, what is there after. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FAST } from "../../src/core/config.ts";
import { NodeId } from "../../src/data/ids.ts";
import { Outage } from "./outage.ts";
import { pause } from "./writer.ts";

/** Whoever could be given up would be by then. */
const LONG_MS =
  FAST.maxNoHeartbeatMs + FAST.probeTimeoutMs + FAST.suspicionTimeoutMs + FAST.maxNoHeartbeatMs;
const [A, B, C, D] = [NodeId("n1"), NodeId("n2"), NodeId("n3"), NodeId("n4")];

let outage: Outage;

const begin = (nodes: number) => async (): Promise<void> => {
  outage = await Outage.start({ nodes });
  await outage.write();
};
const end = async (): Promise<void> => {
  try {
    await outage.checkWhole();
  } finally {
    await outage.grid.stop();
  }
};

/** Beside what the coordinator does by itself: a partition that is being copied anew is ordered again when it has been. */
async function orderMove(from: string, to: string): Promise<{ status: number; code: unknown }> {
  const [, partition = 0] = await outage.grid.ownedBy(from);
  const order = { partition, to };
  for (const began = Date.now(); ; await pause(50)) {
    const { status, body } = await outage.grid.api.json<{ error?: { code: string } }>(
      "POST",
      "/v1/cluster/migrations",
      order,
    );
    const code = body.error?.code;
    if (code !== "MIGRATION_IN_PROGRESS" || Date.now() - began > LONG_MS) return { status, code };
  }
}

const states = (): readonly unknown[] => outage.grid.nodes.map((node) => outage.stateOf(node));

describe("three nodes", () => {
  beforeEach(begin(3), 60_000);
  afterEach(end, 90_000);

  it("{A} | {B, C}, the coordinator with B and C: they go on, A rules nothing and serves its clients", async () => {
    await outage.cut([A]);
    await outage.until(A, "dead");
    expect(await orderMove(B, C)).toMatchObject({ status: 202 });
    for (const node of [A, B, C]) await outage.at(node).hears(10);
    expect(states()).toEqual(["dead", "active", "active"]);
  });

  it("{A} | {B, C}, the coordinator with A: nobody rules, CRDT traffic goes on, healing leaves one leader", async () => {
    await outage.cut(["coordinator", A]);
    await pause(FAST.maxNoHeartbeatMs);
    const [term, versions] = [outage.grid.disk.term(), outage.grid.disk.member(B)?.joinVersion];
    await pause(LONG_MS);
    expect(await orderMove(A, B)).toEqual({ status: 503, code: "NO_QUORUM" });
    expect(states()).toEqual(["active", "active", "active"]);
    for (const node of [A, B, C]) await outage.at(node).hears(10);
    await outage.heal();
    await outage.at(B).hears(5);
    expect(await orderMove(A, B)).toMatchObject({ status: 202 });
    expect(outage.grid.disk.term()).toBeGreaterThanOrEqual(term);
    expect(outage.grid.disk.member(B)?.joinVersion, "nobody was given up").toBe(versions);
  });

  it("leader paused and resumed: nobody is given up for what it did not hear", async () => {
    const term = outage.grid.disk.term();
    await outage.grid.order("coordinator", { paused: true });
    await pause(LONG_MS);
    for (const node of [A, B, C]) await outage.at(node).hears(5);
    expect((await outage.grid.order("coordinator")).met.held).toBeGreaterThan(3);
    await pause(LONG_MS);
    expect(states()).toEqual(["active", "active", "active"]);
    expect(outage.grid.disk.member(A)?.incarnation).toBe(1);
    expect(await orderMove(A, B)).toMatchObject({ status: 202 });
    expect(outage.grid.disk.term()).toBeGreaterThanOrEqual(term);
  });

  it("one-way cut, A is not heard by the coordinator: given up, and back when it is", async () => {
    await outage.cutFrom(A, ["coordinator"], "out");
    await outage.until(A, "dead");
    await outage.at(B).hears(5);
  });

  it("one-way cut, A does not hear the coordinator and is heard: it is not given up", async () => {
    await outage.cutFrom(A, ["coordinator"], "in");
    await pause(LONG_MS);
    expect(states()).toEqual(["active", "active", "active"]);
    for (const node of [A, B, C]) await outage.at(node).hears(5);
    expect((await outage.grid.met(A)).cut).toBeGreaterThan(0);
  });
});

describe("four nodes", () => {
  beforeEach(begin(4), 60_000);
  afterEach(end, 90_000);

  it("even split of four: only the side with the coordinator goes on, the other serves its clients", async () => {
    await outage.cut([C, D]);
    await outage.until(C, "dead");
    await outage.until(D, "dead");
    expect(await orderMove(A, B)).toMatchObject({ status: 202 });
    expect(states()).toEqual(["active", "active", "dead", "dead"]);
    for (const node of [A, B, C, D]) await outage.at(node).hears(10);
  });
});
