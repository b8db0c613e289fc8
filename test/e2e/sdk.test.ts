/** The client against real objects and sockets: moves, lost nodes, cut connections, clocks that are wrong. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Grid as Client, type Options } from "godwit/client";
import { partitionOf } from "../../src/data/hash.ts";
import { cuttable } from "../client/cuttable.ts";
import { Grid } from "./grid.ts";
import { pause } from "./writer.ts";

const PARTITIONS = 8;

let grid: Grid;
const clients: Client[] = [];

beforeAll(async () => {
  grid = await Grid.start({
    nodes: 3,
    partitions: PARTITIONS,
    backups: 1,
    faults: true,
    preset: "fast",
  });
}, 60_000);
afterAll(async () => {
  for (const client of clients) client.close();
  await grid.stop();
});

async function clientOf(options: Options = {}): Promise<Client> {
  const client = await connect(grid.api.base, options);
  clients.push(client);
  return client;
}

const keysOf = (partition: number, count: number): string[] => {
  const keys: string[] = [];
  for (let n = 0; keys.length < count; n++)
    if (partitionOf(`p${n}`, PARTITIONS) === partition) keys.push(`p${n}`);
  return keys;
};

describe.each(["direct", "gateway"] as const)("%s", (mode) => {
  it("writes, reads, looks, deletes; by one client what another has written", async () => {
    const [a, b] = [await clientOf({ mode }), await clientOf({ mode })];
    const [users, others] = [a.map<{ name: string }>(`users-${mode}`), b.map(`users-${mode}`)];
    const writes = ["alice", "bob", "carol", "dave"].map((name) => users.set(name, { name }));
    expect(users.peek("alice")).toEqual({ name: "alice" });
    expect(await users.get("alice"), "before it is acknowledged").toEqual({ name: "alice" });
    expect(await Promise.all(writes)).toEqual(writes.map(() => ({ superseded: false })));
    expect(others.peek("alice")).toBeUndefined();
    expect(await others.get("alice")).toEqual({ name: "alice" });
    expect(others.peek("alice")).toEqual({ name: "alice" });
    await users.delete("alice");
    expect(users.peek("alice")).toBeUndefined();
    expect(await others.get("alice")).toBeUndefined();
    expect(
      await users.set("bob", { name: "for a moment" }, { ttl: 50, ack: "backup" }),
    ).toBeTruthy();
    await pause(120);
    expect([users.peek("bob"), await users.get("bob")]).toEqual([undefined, undefined]);
    expect(a.status().nodes.length).toBe(mode === "direct" ? 3 : 1);
  });

  it("goes on through moves without the application noticing", async () => {
    const map = (await clientOf({ mode })).map<number>(`moved-${mode}`);
    const partition = mode === "direct" ? 1 : 2;
    const keys = keysOf(partition, 50);
    const written = { rounds: 0, enough: false };
    const writing = (async () => {
      while (!written.enough) {
        written.rounds++;
        await Promise.all(keys.map((key) => map.set(key, written.rounds)));
      }
    })();
    for (let round = 0; round < 2; round++) {
      const owner = await grid.ownerOf(partition);
      const to = grid.nodes.find((node) => node !== owner);
      await grid.api.json("POST", "/v1/cluster/migrations", { partition, to });
      while ((await grid.ownerOf(partition)) === owner) await pause(20);
      for (const enough = written.rounds + 3; written.rounds < enough;) await pause(5);
    }
    written.enough = true;
    await writing;
    await grid.api.settled(grid.nodes);
    expect(await Promise.all(keys.map((key) => map.get(key)))).toEqual(
      keys.map(() => written.rounds),
    );
  });

  it("sends ten thousand writes of its time offline once each", async () => {
    const net = cuttable();
    const client = await clientOf({ mode, WebSocket: net.make });
    const map = client.map<number>(`offline-${mode}`);
    await map.set("first", 1);
    net.cut();
    while (client.status().state !== "offline") await pause(5);
    const writes = Array.from({ length: 10_000 }, (_, n) => map.set(`k${n}`, n));
    expect(map.peek("k9999")).toBe(9_999);
    expect(await map.get("k9999")).toBe(9_999);
    await pause(200);
    const before = net.frames();
    net.heal();
    expect((await Promise.all(writes)).every(({ superseded }) => !superseded)).toBe(true);
    expect(net.frames() - before, "a greeting for each node, and full frames").toBeLessThan(40);
    const reader = (await clientOf({ mode })).map<number>(`offline-${mode}`);
    const some = Array.from({ length: 100 }, (_, n) => n * 99);
    expect(await Promise.all(some.map((n) => reader.get(`k${n}`)))).toEqual(some);
  }, 60_000);
});

describe("what was written offline", () => {
  it("loses to what was written after it, and wins over what was before", async () => {
    const net = cuttable();
    const away = await clientOf({ WebSocket: net.make });
    const [mine, theirs] = [away.map<string>("race"), (await clientOf()).map<string>("race")];
    await theirs.set("older", "theirs, before");
    net.cut();
    while (away.status().state !== "offline") await pause(5);
    const wins = mine.set("older", "mine, after");
    const loses = mine.set("newer", "mine, before");
    await pause(30);
    await theirs.set("newer", "theirs, after");
    net.heal();
    expect(await Promise.all([wins, loses])).toEqual([{ superseded: false }, { superseded: true }]);
    expect(await Promise.all(["older", "newer"].map((key) => theirs.get(key)))).toEqual([
      "mine, after",
      "theirs, after",
    ]);
    expect(mine.peek("newer"), "not known to stand").toBeUndefined();
    expect(await mine.get("newer")).toBe("theirs, after");
  });

  it("is applied once, though its frame goes out again whenever the connection breaks before the answer", async () => {
    const net = cuttable();
    const client = await clientOf({ WebSocket: net.make });
    const map = client.map<number>("twice");
    const writes: Promise<{ superseded: boolean }>[] = [];
    for (let n = 0; n < 20; n++) {
      writes.push(map.set(`k${n % 4}`, n));
      await pause(n % 3);
      net.cut();
      await pause(1);
      net.heal();
    }
    expect((await Promise.all(writes)).map(({ superseded }) => superseded)).toHaveLength(20);
    const reader = (await clientOf()).map<number>("twice");
    expect(await Promise.all([0, 1, 2, 3].map((n) => reader.get(`k${n}`)))).toEqual([
      16, 17, 18, 19,
    ]);
  });
});

describe("a node that is lost", () => {
  it.each(["direct", "gateway"] as const)(
    "is written around by its backups: %s",
    async (mode) => {
      const client = await clientOf({ mode, answerMs: 3_000 });
      const map = client.map<number>(`killed-${mode}`);
      const victim = "n3";
      const [partition = 0] = await grid.ownedBy(victim);
      const keys = keysOf(partition, 10);
      await Promise.all(keys.map((key) => map.set(key, 1, { ack: "backup" })));
      await grid.killNode(victim);
      await Promise.all(keys.map((key) => map.set(key, 2)));
      expect(await grid.ownerOf(partition)).not.toBe(victim);
      expect(await Promise.all(keys.map((key) => map.get(key)))).toEqual(keys.map(() => 2));
      await grid.order(victim);
      await grid.api.settled(grid.nodes);
    },
    120_000,
  );
});

it("says what is wrong by a code: keys, values, a full outbox, a closed client, nobody there", async () => {
  const net = cuttable();
  const client = await clientOf({ WebSocket: net.make, outboxMax: 3 });
  const map = client.map<unknown>("errors");
  const never = { code: "MALFORMED", retry: "never" };
  await expect(map.set("k", new Date())).rejects.toMatchObject(never);
  await expect(map.get("\ud800")).rejects.toMatchObject({ code: "BAD_TEXT" });
  await expect(map.set("k".repeat(600), 1)).rejects.toMatchObject({ code: "OUT_OF_BOUNDS" });
  await expect(map.set("k", 1, { ttl: 0 })).rejects.toMatchObject({ code: "OUT_OF_BOUNDS" });
  net.cut();
  const kept = [1, 2, 3].map((n) => map.set(`k${n}`, n));
  const full = { code: "OUTBOX_FULL", retry: "later", data: { max: 3 } };
  await expect(map.set("k4", 4)).rejects.toMatchObject(full);
  expect(map.peek("k4")).toBeUndefined();
  client.close();
  for (const one of kept) await expect(one).rejects.toMatchObject({ code: "CLOSED" });
  await expect(map.get("k5")).rejects.toMatchObject({ code: "CLOSED" });
  expect(client.status().state).toBe("closed");
  const nobody = connect("http://127.0.0.1:1", { connectMs: 300 });
  await expect(nobody).rejects.toMatchObject({ name: "GridError", code: "UNREACHABLE" });
  const stranger = connect(grid.api.base, { cluster: "NO" });
  await expect(stranger).rejects.toMatchObject({ code: "MALFORMED" });
});
