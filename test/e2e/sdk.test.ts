/** The client against real objects and sockets: moves, lost nodes, cut connections, clocks that are wrong. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { connect, type Grid as Client, type Options } from "godwit/client";
import { partitionOf } from "../../src/data/hash.ts";
import { cuttable } from "../client/cuttable.ts";
import { meddled } from "../client/meddled.ts";
import { Clients } from "./clients.ts";
import { Grid } from "./grid.ts";
import { pause } from "./writer.ts";

const PARTITIONS = 8;

let grid: Grid;
const clients = new Clients();

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
  clients.close();
  await grid.stop();
});

const clientOf = async (options?: Options): Promise<Client> => clients.of(grid, options);

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

describe("sets and counters", () => {
  it("three OR-adds, then a fresh client sees exactly three values; removing one leaves two", async () => {
    const tags = (await clientOf()).set<string>("tags", "three");
    const adds = ["red", "green", "blue"].map((tag) => tags.add(tag));
    expect(tags.peek()).toEqual(["red", "green", "blue"]);
    await Promise.all(adds);
    const fresh = (await clientOf({ mode: "gateway" })).set<string>("tags", "three");
    expect((await fresh.values()).toSorted()).toEqual(["blue", "green", "red"]);
    await fresh.delete("green");
    expect((await fresh.values()).toSorted()).toEqual(["blue", "red"]);
    const later = (await clientOf()).set<string>("tags", "three");
    expect([await later.size(), await later.has("green"), await later.has("red")]).toEqual([
      2,
      false,
      true,
    ]);
    expect((await tags.values()).toSorted()).toEqual(["blue", "red"]);
    await later.delete("red");
    expect(await tags.has("red"), "removed by who had only asked for that one").toBe(false);
  });

  it("a client offline during a delete learns of it", async () => {
    const net = cuttable();
    const [away, here] = [await clientOf({ WebSocket: net.make }), await clientOf()];
    const [map, set] = [away.map<number>("away"), away.set<string>("away")];
    await Promise.all([map.set("k", 1), set.add("x"), set.add("y")]);
    await here.set<string>("away").values();
    net.cut();
    while (away.status().state !== "offline") await pause(5);
    await here.map("away").delete("k");
    await here.set<string>("away").delete("x");
    expect([map.peek("k"), set.peek()]).toEqual([1, ["x", "y"]]);
    net.heal();
    expect([await map.get("k"), await set.has("x"), await set.values()]).toEqual([
      undefined,
      false,
      ["y"],
    ]);
    expect([map.peek("k"), set.peek()]).toEqual([undefined, ["y"]]);
  });

  it("an element stays that somebody adds while another, who does not know of it, removes it offline", async () => {
    const net = cuttable();
    const away = await clientOf({ WebSocket: net.make });
    const [mine, theirs] = [away.set<string>("wins"), (await clientOf()).set<string>("wins")];
    await mine.add("x");
    net.cut();
    while (away.status().state !== "offline") await pause(5);
    const removing = mine.delete("x");
    await theirs.add("x");
    net.heal();
    await removing;
    expect(await mine.has("x")).toBe(true);
    await mine.delete("x");
    expect(await theirs.has("x")).toBe(false);
  });

  it("counts each increment once, over broken connections, moves, and by who comes back under its name", async () => {
    const net = cuttable();
    const first = await clientOf({ WebSocket: net.make, clientId: "me" });
    const likes = first.counter("likes", "once");
    const counting: Promise<void>[] = [];
    const partition = partitionOf("once", PARTITIONS);
    const owner = await grid.ownerOf(partition);
    const to = grid.nodes.find((node) => node !== owner);
    await grid.api.json("POST", "/v1/cluster/migrations", { partition, to });
    for (let n = 0; n < 60; n++) {
      counting.push(likes.increment(n % 3 === 0 ? -1 : 2));
      if (n % 10 === 5) net.cut();
      await pause(n % 4);
      if (n % 10 === 8) net.heal();
    }
    expect(likes.peek()).toBe(60);
    net.heal();
    expect(await likes.value()).toBe(60);
    await Promise.all(counting);
    first.close();
    const again = (await clientOf({ clientId: "me" })).counter("likes", "once");
    await again.increment();
    expect(await again.value()).toBe(61);
    await grid.api.settled(grid.nodes);
    const other = (await clientOf({ mode: "gateway" })).counter("likes", "once");
    expect([await other.value(), other.peek()]).toEqual([61, 61]);
    await expect(other.increment(0.5)).rejects.toMatchObject({ code: "MALFORMED" });
    await other.increment(0);
    const none = (await clientOf()).counter("likes", "never");
    await none.increment(0);
    expect(await none.value()).toBe(0);
  });
});

describe("frames on their way", () => {
  it("a frame sent twice is applied once", async () => {
    const twice = meddled({
      sent: (frame, send) => {
        send(frame);
        if (typeof frame !== "string") send(frame);
      },
    });
    const client = await clientOf({ WebSocket: twice, mode: "gateway" });
    const [likes, tags] = [client.counter("doubled"), client.set<string>("doubled")];
    for (let n = 0; n < 10; n++) await Promise.all([likes.increment(3), tags.add("x")]);
    await tags.delete("x");
    const reader = await clientOf();
    expect(await reader.counter("doubled").value()).toBe(30);
    expect(await reader.set("doubled").values()).toEqual([]);
  });

  it("an ack from one node never marks another node's op as done", async () => {
    const held: (() => void)[] = [];
    const state = { holds: false, acks: 0 };
    const [far = 0] = await grid.ownedBy("n2");
    const [near = 0] = await grid.ownedBy("n1");
    const nodes = new Map<string, string>();
    const holding = meddled({
      sent: (frame, send, url) => {
        if (state.holds && nodes.get(url) === "n2") held.push(() => send(frame));
        else send(frame);
      },
      heard: (message, url) => {
        if (message.type === "ACK") state.acks++;
        if (message.type === "WELCOME") nodes.set(url, message.nodeId);
        return true;
      },
    });
    const client = await clientOf({ WebSocket: holding });
    const map = client.map<number>("acks");
    const [here = "", there = ""] = [...keysOf(near, 1), ...keysOf(far, 1)];
    await Promise.all([map.set(here, 0), map.set(there, 0)]);
    const before = state.acks;
    state.holds = true;
    const done = { there: false };
    const waiting = map.set(there, 1).then(() => (done.there = true));
    for (let n = 1; n <= 5; n++) await map.set(here, n);
    await pause(50);
    expect([state.acks - before, held.length, done.there]).toEqual([5, 1, false]);
    expect(client.status().pending).toBe(1);
    state.holds = false;
    for (const send of held) send();
    await waiting;
    expect(await (await clientOf()).map("acks").get(there)).toBe(1);
  });

  it("NOT_OWNER with applied: false is followed by a resend without a further write", async () => {
    const notices: boolean[] = [];
    const state = { isDeaf: false };
    const deaf = meddled({
      heard: (message) => {
        if (message.type === "NOT_OWNER") notices.push(message.applied);
        return !(state.isDeaf && message.type === "MAP_DELTA");
      },
    });
    const map = (await clientOf({ WebSocket: deaf })).map<string>("sent-back");
    const partition = 3;
    const [key = ""] = keysOf(partition, 1);
    await map.set(key, "before");
    state.isDeaf = true;
    const owner = await grid.ownerOf(partition);
    const to = grid.nodes.find((node) => node !== owner);
    await grid.api.json("POST", "/v1/cluster/migrations", { partition, to });
    while ((await grid.ownerOf(partition)) === owner) await pause(20);
    await grid.api.settled(grid.nodes);
    expect(await map.set(key, "after")).toEqual({ superseded: false });
    expect(notices).toContain(false);
    expect(notices).not.toContain(true);
    expect(await (await clientOf()).map("sent-back").get(key)).toBe("after");
  });

  it("equal stamps with different values converge everywhere", async () => {
    const two = [await clientOf({ clientId: "same" }), await clientOf({ clientId: "same" })];
    const now = Date.now();
    const clock = vi.spyOn(Date, "now").mockReturnValue(now);
    const writes = two.map((client, n) => client.map<string>("equal").set("k", `by ${n}`));
    clock.mockRestore();
    expect((await Promise.all(writes)).map(({ superseded }) => superseded)).toContain(false);
    const partition = partitionOf("k", PARTITIONS);
    for (const to of grid.nodes) {
      if ((await grid.ownerOf(partition)) !== to) {
        await grid.api.json("POST", "/v1/cluster/migrations", { partition, to });
        while ((await grid.ownerOf(partition)) !== to) await pause(20);
      }
      await grid.api.settled(grid.nodes);
      const readers = await Promise.all([clientOf(), clientOf({ mode: "gateway" })]);
      const all = [...two, ...readers].map((client) => client.map<string>("equal").get("k"));
      expect(await Promise.all(all), `at ${to}`).toEqual(all.map(() => "by 1"));
    }
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
