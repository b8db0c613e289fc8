/** A node that falls silent in a real runtime: given up by the book, and nothing of it is lost. */
import { encode } from "@msgpack/msgpack";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { FAST } from "../../src/core/config.ts";
import { NodeId } from "../../src/data/ids.ts";
import type { NodeState } from "../../src/data/members.ts";
import { Client, opOf } from "./client.ts";
import { Outage, PARTITIONS } from "./outage.ts";
import { keysIn } from "./partition-writer.ts";
import { pause } from "./writer.ts";

let outage: Outage;

beforeAll(async () => {
  // Of what a node owns nobody has a copy.
  outage = await Outage.start({ nodes: 3, backups: 0 });
}, 60_000);
afterEach(() => outage.checkWhole(), 90_000);
afterAll(() => outage.grid.stop());

const PEERS = [NodeId("n2"), NodeId("n3"), "coordinator", "front"] as const;

/** What a client of that node is told of a write to this partition. */
async function resultOf(node: string, partition: number): Promise<unknown> {
  const client = await Client.open(outage.grid.api.base, `?node=${node}`);
  await client.hello(true, "witness");
  const [key = ""] = keysIn(partition, PARTITIONS, { prefix: "w", count: 1 });
  client.send({ type: "OPS", seq: 1, ops: [opOf(key, encode(1), "witness")] });
  // It is held for as long as its owner may yet be found.
  const { exceptions } = await client.next("ACK", FAST.forwardTimeoutMs + 5_000);
  client.socket.close();
  return exceptions[0]?.result ?? "accepted";
}

describe("a node that is silenced", () => {
  it("silenced -> suspect -> dead; what it alone has is PARTITION_LOST, and comes back with it", async () => {
    const partitions = await outage.write();
    const lost = partitions.get("n1") ?? 0;
    const { incarnation = 0 } = outage.grid.disk.member("n1") ?? {};
    expect(outage.stateOf("n1")).toBe("active");
    const since = Date.now();
    await outage.cutFrom(NodeId("n1"), PEERS);
    expect(await outage.until("n1", "dead")).toEqual(["active", "suspect", "dead"]);
    expect(Date.now() - since).toBeLessThan(5_000);
    expect(Date.now() - since).toBeGreaterThan(FAST.suspicionTimeoutMs);
    expect(outage.grid.disk.entry(lost)).toMatchObject({ lost: "n1", ruling: { owner: null } });

    const error = { code: "PARTITION_LOST", retry: "later" };
    expect(await resultOf("n2", lost)).toMatchObject({ type: "refused", error });
    // Its own clients reach it as before, and it goes on.
    await outage.at("n1").hears(10);
    await outage.at("n2").hears(10);
    expect(outage.stateOf("n1")).toBe("dead");

    await outage.heal();
    await outage.until("n1", "active");
    expect(outage.grid.disk.member("n1")?.incarnation).toBe(incarnation + 1);
    await outage.owned(lost, "n1");
    expect(await resultOf("n2", lost)).toBe("accepted");
  });

  it("killed: the same, and its memory is gone", async () => {
    const partitions = await outage.write(["n2", "n3"]);
    const [lost = 0] = await outage.grid.ownedBy("n1");
    await outage.grid.killNode("n1");
    expect(await outage.until("n1", "dead")).toEqual(["active", "suspect", "dead"]);
    expect(outage.grid.disk.entry(lost)).toMatchObject({ lost: "n1", ruling: { owner: null } });
    for (const node of partitions.keys()) await outage.at(node).hears(5);
    await outage.heal();
    await outage.owned(lost, "n1");
  });
});

describe("coordinator evicted and aborted at every stage", () => {
  const cells: readonly (readonly ["evicted" | "aborted", NodeState])[] = [
    ["evicted", "active"],
    ["evicted", "suspect"],
    ["evicted", "dead"],
    ["aborted", "active"],
    ["aborted", "suspect"],
    ["aborted", "dead"],
    ["aborted", "joining"],
  ];

  it.each(cells)("%s while a silent node is %s", async (how, stage) => {
    await outage.write(["n2", "n3"]);
    const term = outage.grid.disk.term();
    // Calls to it fail at once: one that is under way would keep the coordinator in memory.
    await outage.grid.order("n1", { faults: [{ peer: "*", what: "drop" }], keep: true });
    if (stage === "joining") await beginToReturn();
    else await outage.until("n1", stage);
    if (how === "evicted") await evictCoordinator();
    else await outage.grid.killNode("coordinator");
    expect(outage.stateOf("n1"), "what it has saved").toBe(stage);
    await outage.grid.order("coordinator");
    const next = stage === "joining" ? "active" : "dead";
    expect((await outage.until("n1", next))[0]).toBe(stage);
    await pause(2 * FAST.heartbeatMs);
    expect(["n2", "n3"].map((node) => outage.stateOf(node))).toEqual(["active", "active"]);
    await outage.heal();
    await outage.until("n1", "active");
    expect(outage.grid.disk.term(), "another reign").toBeGreaterThan(term);
  });

  async function evictCoordinator(): Promise<void> {
    await outage.grid.order("coordinator", { timeless: true });
    expect(await outage.grid.evict("coordinator")).toBe(true);
  }

  /** What it hears comes so late that it can be seen joining. */
  async function beginToReturn(): Promise<void> {
    await outage.until("n1", "dead");
    const late = { peer: "coordinator", direction: "in", what: "delay", ms: 700 } as const;
    await outage.grid.order("n1", { faults: [late] });
    await outage.until("n1", "joining");
  }
});
