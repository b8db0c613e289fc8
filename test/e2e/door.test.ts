/** Faults on order do what they say, each of them, and there are none where they were not asked for. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { partitionOf } from "../../src/data/hash.ts";
import { NodeId } from "../../src/data/ids.ts";
import type { ClientMessage } from "../../src/protocol/client-messages.ts";
import { Client, opOf } from "./client.ts";
import { Follower } from "./follower.ts";
import { Grid } from "./grid.ts";
import { keysIn } from "./partition-writer.ts";
import { pause } from "./writer.ts";

const PARTITIONS = 32;
const [N1, N2] = [NodeId("n1"), NodeId("n2")];
const VALUE = new Uint8Array([7]);

let grid: Grid;
let written = 0;

/** A key that nobody has used, owned by that node. */
async function keyOf(node: string): Promise<string> {
  const [partition = 0] = await grid.ownedBy(node);
  return keysIn(partition, PARTITIONS, { prefix: `d${written++}-`, count: 1 })[0] ?? "";
}

async function clientAt(node: string): Promise<Client> {
  const client = await Client.open(grid.api.base, `?node=${node}`);
  await client.hello(true, `at-${node}-${written++}`);
  return client;
}

const write = (key: string, seq = 1): ClientMessage => ({
  type: "OPS",
  seq,
  ops: [opOf(key, VALUE, "door")],
});

/** Whether one has come within this time; it is taken away. */
async function isAcked(client: Client, ms: number): Promise<boolean> {
  for (const began = Date.now(); Date.now() - began < ms; await pause(10))
    if (client.received.some(({ type }) => type === "ACK"))
      return (await client.next("ACK")).exceptions.length === 0;
  return false;
}

/** As its owner's disk has it: nobody is asked. */
const isStored = (node: string, key: string): boolean =>
  grid.disk.hasRow(node, partitionOf(key, PARTITIONS), key);

describe("where the binding is not set", () => {
  it("there is no such path, and nothing changes", async () => {
    grid = await Grid.start({ nodes: 2, partitions: PARTITIONS });
    try {
      const cut = { faults: [{ peer: "*" }], paused: true, keep: true };
      for (const method of ["PUT", "GET", "DELETE"]) {
        const body = method === "PUT" ? cut : undefined;
        const told = await grid.api.json(method, "/v1/faults/n1", body);
        expect(told).toMatchObject({ status: 404, body: { error: { code: "ROUTE_NOT_FOUND" } } });
      }
      const client = await clientAt("n1");
      client.send(write(await keyOf("n1")));
      expect(await isAcked(client, 5_000)).toBe(true);
    } finally {
      await grid.stop();
    }
  });
});

describe("where it is set", () => {
  beforeAll(async () => {
    grid = await Grid.start({ nodes: 3, partitions: PARTITIONS, faults: true });
  }, 60_000);
  afterAll(() => grid.stop());

  it("an order that is none is refused with the name of what is wrong in it", async () => {
    const orders = { faults: [{ peer: "n1", direction: "up" }] };
    const told = await grid.api.json("PUT", "/v1/faults/n1", orders);
    const error = { code: "MALFORMED", field: "faults.0.direction" };
    expect(told).toMatchObject({ status: 400, body: { error } });
    for (const peer of ["", "N 1", 7])
      expect((await grid.api.json("PUT", "/v1/faults/n1", { faults: [{ peer }] })).status).toBe(
        400,
      );
  });

  it("drops: what is dropped fails, is sent again, and gets through", async () => {
    await grid.order("n2", { faults: [{ peer: N1, direction: "in", what: "drop", chance: 0.4 }] });
    const client = await clientAt("n1");
    for (let seq = 1; seq <= 20; seq++) {
      client.send(write(await keyOf("n2"), seq));
      expect(await isAcked(client, 30_000), `frame ${seq}`).toBe(true);
    }
    expect((await grid.order("n2")).met.drop).toBeGreaterThan(1);
  });

  it("delays: by so much, and only with that peer", async () => {
    const [near, far] = [await clientAt("n1"), await clientAt("n3")];
    const keys = [await keyOf("n2"), await keyOf("n2")] as const;
    await grid.order("n2", { faults: [{ peer: N1, direction: "in", what: "delay", ms: 600 }] });
    far.send(write(keys[0]));
    near.send(write(keys[1]));
    expect(await isAcked(far, 400), "of another peer").toBe(true);
    expect(await isAcked(near, 0)).toBe(false);
    expect(await isAcked(near, 5_000)).toBe(true);
    expect((await grid.order("n2")).met).toMatchObject({ cut: 0 });
  });

  it("cuts one way: requests do not arrive, until it is healed", async () => {
    const client = await clientAt("n1");
    const key = await keyOf("n2");
    await grid.order("n1", { faults: [{ peer: N2, direction: "out" }] });
    client.send(write(key));
    expect(await isAcked(client, 700)).toBe(false);
    expect(isStored("n2", key)).toBe(false);
    expect((await grid.order("n1")).met.cut).toBeGreaterThan(0);
    expect(await isAcked(client, 9_000)).toBe(true);
    expect(isStored("n2", key)).toBe(true);
  });

  it("cuts the other way: requests arrive, answers do not", async () => {
    const client = await clientAt("n1");
    const key = await keyOf("n2");
    await grid.order("n1", { faults: [{ peer: N2, direction: "in" }] });
    client.send(write(key));
    expect(await isAcked(client, 700)).toBe(false);
    expect(isStored("n2", key)).toBe(true);
    await grid.order("n1");
    expect(await isAcked(client, 9_000)).toBe(true);
  });

  it("cuts {n1} | {n2, n3}: each side goes on by itself, nothing crosses", async () => {
    const peers = [N2, NodeId("n3"), "coordinator"] as const;
    const clients = [await clientAt("n1"), await clientAt("n2")] as const;
    const keys = {
      own: await keyOf("n1"),
      across: await keyOf("n2"),
      beside: await keyOf("n3"),
      back: await keyOf("n1"),
    };
    await grid.order("n1", { faults: peers.map((peer) => ({ peer })) });
    clients[0].send(write(keys.own, 1));
    expect(await isAcked(clients[0], 5_000), "n1 to itself").toBe(true);
    clients[1].send(write(keys.beside, 1));
    expect(await isAcked(clients[1], 5_000), "n2 to n3").toBe(true);
    clients[0].send(write(keys.across, 2));
    clients[1].send(write(keys.back, 2));
    await pause(700);
    expect([isStored("n2", keys.across), isStored("n1", keys.back)]).toEqual([false, false]);
    await grid.order("n1");
    expect(await isAcked(clients[0], 9_000)).toBe(true);
    expect(await isAcked(clients[1], 9_000)).toBe(true);
  });

  it("silences: its clients hear nothing either, and what they said is gone", async () => {
    const client = await clientAt("n1");
    const keys = [await keyOf("n1"), await keyOf("n1")] as const;
    await grid.order("n1", { faults: [{ peer: "*" }] });
    client.send(write(keys[0], 1));
    expect(await isAcked(client, 700)).toBe(false);
    await grid.order("n1");
    client.send(write(keys[1], 2));
    expect((await client.next("ACK")).seq).toBe(2);
    expect([isStored("n1", keys[0]), isStored("n1", keys[1])]).toEqual([false, true]);
  });

  it("pauses: all that happens meanwhile happens when it goes on, in order", async () => {
    const client = await clientAt("n1");
    const keys = [await keyOf("n1"), await keyOf("n1"), await keyOf("n1")];
    await grid.order("n1", { paused: true });
    for (const [i, key] of keys.entries()) client.send(write(key, i));
    const asked = fetch(new URL(`/v1/maps/ws/${keys[0]}`, grid.api.base));
    await pause(700);
    expect(client.received).toEqual([]);
    expect(keys.some((key) => isStored("n1", key))).toBe(false);
    expect((await grid.met("n1")).held).toBeGreaterThanOrEqual(4);
    await grid.order("n1");
    for (const i of keys.keys()) expect((await client.next("ACK")).seq).toBe(i);
    expect((await asked).status).toBe(200);
  });

  it("an order not to be kept ends with the memory of the object", async () => {
    await grid.order("n1", { faults: [{ peer: "@clients", direction: "in" }] });
    expect(await grid.evict("n1")).toBe(true);
    const client = await clientAt("n1");
    client.send(write(await keyOf("n1")));
    expect(await isAcked(client, 5_000)).toBe(true);
  });

  it("kills it alone, not the process, while it is telling itself something", async () => {
    const follower = new Follower(() => grid.api.base, { map: "ws" });
    await follower.connect("n1");
    await follower.synced();
    await grid.order("n1", { faults: [{ peer: N1, direction: "in", what: "delay", ms: 2_000 }] });
    const writer = await clientAt("n1");
    const key = await keyOf("n1");
    writer.send(write(key));
    for (const began = Date.now(); (await grid.met("n1")).delay === 0; await pause(10))
      expect(Date.now() - began).toBeLessThan(5_000);
    await grid.killNode("n1");
    await grid.order("n1");
    const read = await grid.api.json("GET", `/v1/maps/ws/${key}`);
    expect(read).toEqual({ status: 200, body: 7 });
    follower.leave();
  });

  it("kills: sockets close, and it stays silent when it is woken, until it is to heal", async () => {
    const witness = await clientAt("n1");
    const key = await keyOf("n1");
    witness.send(write(key));
    expect(await isAcked(witness, 5_000)).toBe(true);
    await grid.killNode("n1");
    for (const began = Date.now(); witness.closed === null; await pause(10))
      expect(Date.now() - began).toBeLessThan(5_000);

    for (let life = 0; life < 2; life++) {
      const caller = await Client.open(grid.api.base, "?node=n1");
      caller.socket.send(new Uint8Array([1, 2, 3])); // what is no message would be answered at once
      const read = fetch(new URL(`/v1/maps/ws/${key}`, grid.api.base), {
        signal: AbortSignal.timeout(700),
      });
      await expect(read).rejects.toThrow(/timeout/);
      expect(caller.received).toEqual([]);
      expect((await grid.met("n1")).cut).toBeGreaterThan(0);
      await grid.killNode("n1"); // its memory is lost once more
    }
    await grid.order("n1");
    const read = await grid.api.json("GET", `/v1/maps/ws/${key}`);
    expect(read).toEqual({ status: 200, body: 7 });
  });
});
