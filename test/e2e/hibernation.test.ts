/** Sockets outlive the objects that hold them, and what needs no object wakes none. */
import { encode } from "@msgpack/msgpack";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DEFAULTS } from "../../src/core/config.ts";
import { Client, opOf } from "./client.ts";
import { Grid } from "./grid.ts";
import { pause } from "./writer.ts";

/**
 * After its last work a node says for so long that it is there; the platform lets an object sleep after ten seconds in
 * which nobody asked it anything.
 */
const ASLEEP_AFTER_MS = DEFAULTS.idleAfterMs + 2 * DEFAULTS.heartbeatMs + 13_000;

let grid: Grid;

beforeAll(async () => {
  grid = await Grid.start({ nodes: 2, partitions: 16 });
}, 60_000);
afterAll(() => grid.stop());

/** Sends one write, on a socket that has said HELLO before, and waits for its ACK. */
async function write(client: Client, seq: number): Promise<void> {
  const ops = [opOf(`k${seq}`, encode(seq), "sleeper", seq)];
  client.send({ type: "OPS", seq, ops });
  expect(await client.next("ACK")).toEqual({ type: "ACK", seq, exceptions: [] });
}

async function greeted(node: string): Promise<Client> {
  const client = await Client.open(grid.api.base, `?node=${node}`);
  await client.hello(true, "sleeper");
  return client;
}

/** The goodbye wakes the node, so it must be over before the next test looks who is awake. */
async function leave(client: Client): Promise<void> {
  client.socket.close(4000, "bye");
  for (const began = Date.now(); client.closed === null; await pause(5))
    if (Date.now() - began > 5_000) throw new Error("the goodbye is not answered");
  expect(client.closed).toBe(4000);
}

it("a node that left memory takes writes from the same socket in the same session", async () => {
  const client = await greeted("n1");
  await write(client, 1);
  for (let seq = 2; seq < 5; seq++) {
    expect(await grid.evict("n1")).toBe(true);
    await write(client, seq);
  }
  expect(client.received, "nothing but acks").toEqual([]);
  expect(client.closed).toBeNull();
  const stored = await grid.readElsewhere("ws");
  for (let seq = 1; seq < 5; seq++) expect(stored.get(`k${seq}`)).toBe(seq);
  await leave(client);
});

it("a socket that had not said HELLO is a stranger still", async () => {
  const client = await Client.open(grid.api.base, "?node=n1");
  expect(await grid.evict("n1")).toBe(true);
  client.send({ type: "OPS", seq: 1, ops: [opOf("k", null, "nobody")] });
  expect((await client.next("ERROR")).error.code).toBe("HELLO_EXPECTED");
  await leave(client);
});

it("ping is answered by pong, and the node sleeps on", async () => {
  const client = await greeted("n1");
  expect(await grid.evict("n1")).toBe(true);
  for (let i = 0; i < 3; i++) expect(await pong(client)).toBe("pong");
  expect(await grid.evict("n1"), "it was awake").toBe(false);
  await write(client, 7);
  expect(await grid.evict("n1"), "it was asleep").toBe(true);
  await leave(client);
});

it("left alone, a node falls asleep over open sockets that ping, and wakes for a write", async () => {
  const client = await greeted("n1");
  await write(client, 8);
  for (const began = Date.now(); Date.now() - began < ASLEEP_AFTER_MS; await pause(1_000))
    expect(await pong(client)).toBe("pong");
  expect(await grid.evict("n1"), "it was awake").toBe(false);
  await write(client, 9);
  expect(client.closed).toBeNull();
  await leave(client);
}, 60_000);

it("a sleeping node answers a goodbye", async () => {
  const client = await greeted("n1");
  expect(await grid.evict("n1")).toBe(true);
  await leave(client);
});

function pong({ socket }: Client): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no pong")), 5_000);
    const heard = ({ data }: MessageEvent): void => {
      if (typeof data !== "string") return;
      clearTimeout(timer);
      socket.removeEventListener("message", heard);
      resolve(data);
    };
    socket.addEventListener("message", heard);
    socket.send("ping");
  });
}
