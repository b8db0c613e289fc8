/** Subscribers over real sockets: complete, without a gap, whatever becomes of nodes, owners and sockets. */
import { decode } from "@msgpack/msgpack";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeTotal, sideIn } from "../../src/data/count.ts";
import { partitionOf } from "../../src/data/hash.ts";
import { ClusterId } from "../../src/data/ids.ts";
import { PROTOCOL_VERSION } from "../../src/protocol/version.ts";
import { Subscriber } from "../sim/subscriber.ts";
import { Follower, until } from "./follower.ts";
import type { Api } from "./api.ts";
import { fill as fillOnce, Grid } from "./grid.ts";
import { SlowReader } from "./slow-reader.ts";
import { pause } from "./writer.ts";

const KEYS = Array.from({ length: 10_000 }, (_, i) => `key:${i}`);
const VALUE = "v".repeat(60);

/** What was refused for the moment is tried again. */
async function fill(api: Api, map: string, what: Parameters<typeof fillOnce>[2]): Promise<void> {
  for (let from = 0; from < what.keys.length; from += 500) {
    const keys = what.keys.slice(from, from + 500);
    for (let left = 10; left > 0; left--) {
      const done = await fillOnce(api, map, { ...what, keys }).then(
        () => true,
        () => false,
      );
      if (done) break;
      await pause(500);
    }
  }
}

let grid: Grid;
const followers: Follower[] = [];

beforeAll(async () => {
  grid = await Grid.start({ nodes: 3, partitions: 271, faults: true, preset: "fast", backups: 1 });
  await fill(grid.api, "transfers", { keys: KEYS, value: VALUE });
}, 120_000);
afterAll(async () => {
  for (const follower of followers) follower.leave();
  await grid.stop();
});

async function follow(node: string, map = "transfers"): Promise<Follower> {
  const follower = new Follower(() => grid.api.base, { map });
  followers.push(follower);
  await follower.connect(node);
  await follower.synced();
  return follower;
}

/** As another reader finds it. */
const agrees = async (follower: Follower, map = "transfers"): Promise<void> => {
  const there = await grid.api.entries(map);
  await follower.has(there, (value) => decode(value));
  expect(follower.subscriber.wentBack).toEqual([]);
  expect(follower.refused).toEqual([]);
};

describe("a subscriber that was away", () => {
  it("costs less than 3 % of all there is, by its positions, after 100 of 10,000 changed", async () => {
    const follower = await follow("n1");
    expect(follower.subscriber.rows).toHaveLength(KEYS.length);
    expect(follower.subscriber.positions.size).toBe(271);
    const whole = follower.bytes;
    follower.leave();
    await fill(grid.api, "transfers", { keys: KEYS.slice(0, 100), value: "new" });
    await follower.connect("n2");
    await follower.synced();
    expect(follower.bytes / whole).toBeLessThan(0.03);
    await agrees(follower);
    follower.leave();
  }, 60_000);

  it("less than 8 % after its owners have changed", async () => {
    const follower = await follow("n2");
    const whole = follower.bytes;
    follower.leave();
    expect((await grid.api.json("POST", "/v1/cluster/nodes", { count: 1 })).status).toBe(202);
    await grid.api.settled(["n1", "n2", "n3", "n4"]);
    await fill(grid.api, "transfers", { keys: KEYS.slice(100, 200), value: "new" });
    await follower.connect("n1");
    await follower.synced();
    expect(follower.types.get("DIGESTS")).toBeGreaterThan(0);
    expect(follower.bytes / whole).toBeLessThan(0.08);
    await agrees(follower);
    follower.leave();
  }, 120_000);
});

it("who follows a partition while it moves misses nothing", async () => {
  const follower = await follow("n2");
  const owner = await grid.ownerOf(7);
  const to = ["n1", "n2", "n3"].find((id) => id !== owner) ?? "n1";
  await grid.api.json("POST", "/v1/cluster/migrations", { partition: 7, to });
  for (let i = 0; i < 40; i++)
    await fill(grid.api, "transfers", { keys: KEYS.slice(i * 20, i * 20 + 40), value: `m${i}` });
  await until(() => grid.disk.entry(7)?.ruling.owner === to, "the move");
  await agrees(follower);
  follower.leave();
}, 60_000);

it("a set that grows and shrinks, and a counter, over HTTP at another node, are told as entries are", async () => {
  const names = Array.from({ length: 50 }, (_, i) => `set${i}`);
  const owners = await Promise.all(names.map((key) => grid.ownerOf(partitionOf(key, 271))));
  const key = names.find((_, i) => owners[i] !== "n1") ?? expect.fail("n1 owns them all");
  const follower = await follow("n1", "sets");
  const { subscriber } = follower;
  const asked = async (method: string, path: string, body: unknown): Promise<void> =>
    expect((await grid.api.json(method, path, body)).status).toBeLessThan(300);
  const elements = (): readonly unknown[] =>
    subscriber.rows.flatMap(({ kind, value }) => (kind === "or" && value ? [decode(value)] : []));
  const total = (): number =>
    subscriber.rows
      .map(({ kind, sub, value }) => {
        const side = kind === "pn" && value ? decodeTotal(value) : null;
        return side?.ok ? side.value * (sideIn(sub)?.side === "inc" ? 1 : -1) : 0;
      })
      .reduce((sum, count) => sum + count, 0);
  for (const value of ["a", "b"]) await asked("POST", `/v1/sets/sets/${key}`, value);
  await until(() => elements().length === 2, "both");
  await asked("DELETE", `/v1/sets/sets/${key}`, "a");
  await until(() => elements().length === 1, "the removal");
  expect(elements()).toEqual(["b"]);
  for (const add of [5, 4, -2]) await asked("POST", `/v1/counters/sets/${key}`, { add });
  await until(() => total() === 7, "the count");
  expect(subscriber.wentBack).toEqual([]);
  follower.leave();
}, 60_000);

it("a subscriber at a node that sleeps is asked where it is, and is told what changed", async () => {
  const follower = await follow("n1", "few");
  for (let i = 0; i < 3; i++) {
    await pause(300);
    await grid.evict("n1");
    await fill(grid.api, "few", { keys: KEYS.slice(i, i + 20), value: `s${i}` });
    await agrees(follower, "few");
  }
  expect(follower.types.get("RESYNC")).toBeGreaterThan(0);
  follower.leave();
}, 60_000);

it("one that does not read costs no memory, delays nobody, and ends with the newest", async () => {
  const slow = new SlowReader(grid.api.base, "?node=n1");
  const reader = new Subscriber(1, { map: "fat" });
  const hello = { version: PROTOCOL_VERSION, cluster: ClusterId("main"), forward: true };
  slow.send({ type: "HELLO", ...hello, clientId: "slow", received: 0 });
  slow.send(reader.subscribe());
  await until(() => slow.received.some(({ type }) => type === "SYNCED"), "all there is");
  slow.send({ type: "RECEIVED", received: slow.receivedBytes });
  const quick = await follow("n1", "fat");
  slow.stopReading();
  const keys = KEYS.slice(0, 100);
  for (let i = 0; i < 60; i++)
    await fill(grid.api, "fat", { keys, value: `${i}`.padEnd(5_000, "x") });
  await agrees(quick, "fat");
  slow.readOn();
  let heard = 0;
  await until(() => {
    for (; heard < slow.received.length; heard++) {
      const message = slow.received[heard];
      const answer = message && reader.hear(message);
      if (answer) slow.send(answer);
    }
    slow.send({ type: "RECEIVED", received: slow.receivedBytes });
    return slow.received.some(({ type }) => type === "RESYNC") && reader.synced;
  }, "what it has missed");
  const there = await grid.api.entries("fat");
  expect(new Map(reader.rows.map(({ key, value }) => [key, value && decode(value)]))).toEqual(
    there,
  );
  // 30 MB were written; of each key it was told some, and the last.
  expect(slow.receivedBytes).toBeLessThan(6_000_000);
  slow.end();
  quick.leave();
}, 90_000);

it("who follows while an owner is killed misses nothing that stands", async () => {
  const follower = await follow("n1");
  await grid.killNode("n3");
  await until(
    () => [...Array(271).keys()].every((id) => grid.disk.entry(id)?.ruling.owner !== "n3"),
    "a successor",
    60_000,
  );
  await fill(grid.api, "transfers", { keys: KEYS.slice(0, 500), value: "after" });
  await agrees(follower);
}, 120_000);
