/** Subscriptions of the client against real objects and sockets: moves, lost nodes, cut connections, refused writes. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  type EntryChange,
  type Grid as Client,
  type Options,
  type SubscribeOptions,
  type Subscription,
} from "godwit/client";
import { cuttable } from "../client/cuttable.ts";
import { Clients } from "./clients.ts";
import { Grid } from "./grid.ts";
import { pause } from "./writer.ts";

let grid: Grid;
const clients = new Clients();

beforeAll(async () => {
  grid = await Grid.start({ nodes: 3, partitions: 8, backups: 1, faults: true, preset: "fast" });
}, 60_000);
afterAll(async () => {
  clients.close();
  await grid.stop();
});

const clientOf = async (options?: Options): Promise<Client> => clients.of(grid, options);

interface Followed<V> {
  readonly subscription: Subscription<V>;
  /** As its listener was told, one change after the other. */
  readonly told: Map<string, V>;
  readonly calls: (readonly EntryChange<V>[])[];
}

function follow<V>(client: Client, map: string, options: SubscribeOptions = {}): Followed<V> {
  const told = new Map<string, V>();
  const calls: (readonly EntryChange<V>[])[] = [];
  const subscription = client.map<V>(map).subscribe((changes) => {
    calls.push(changes);
    for (const { key, value } of changes)
      if (value === undefined) told.delete(key);
      else told.set(key, value);
  }, options);
  return { subscription, told, calls };
}

const sorted = <V>(entries: Iterable<[string, V]>): Record<string, V> =>
  Object.fromEntries([...entries].toSorted(([a], [b]) => (a < b ? -1 : 1)));

async function shows<V>(
  { subscription, told }: Followed<V>,
  expected: Record<string, V>,
): Promise<void> {
  await vi.waitFor(() => expect(sorted(told)).toEqual(expected), { timeout: 10_000, interval: 20 });
  expect(sorted(subscription.entries())).toEqual(expected);
}

describe.each(["direct", "gateway"] as const)("a subscription, %s", (mode) => {
  it("shows what there is, then what changes, whoever writes it, and nothing after it is closed", async () => {
    const name = `live-${mode}`;
    const named = { mode, clientId: `named-${mode}` };
    const [a, b] = [await clientOf(named), await clientOf({ mode })];
    const [mine, theirs] = [a.map<number>(name), b.map<number>(name)];
    await Promise.all(["x", "y", "z"].map((key, n) => theirs.set(key, n)));
    const followed = follow<number>(a, name);
    await followed.subscription.synced;
    expect(sorted(followed.subscription.entries())).toEqual({ x: 0, y: 1, z: 2 });
    await theirs.set("x", 10);
    await theirs.delete("y");
    await shows(followed, { x: 10, z: 2 });
    const write = mine.set("z", 20);
    expect(followed.subscription.get("z"), "at once").toBe(20);
    await write;
    await mine.delete("x");
    await shows(followed, { z: 20 });
    await pause(300);
    expect(
      followed.calls.flat().filter(({ key }) => key === "z"),
      "once each, though nodes tell of own writes, too",
    ).toHaveLength(2);
    followed.subscription.close();
    expect(await followed.subscription.closed).toBeNull();
    await theirs.set("z", 30);
    await pause(200);
    expect(followed.told.get("z")).toBe(20);
    expect(followed.subscription.entries()).toEqual([]);
  });

  it("goes on where it was after its connection was cut, and shows what is written meanwhile on both sides", async () => {
    const name = `cut-${mode}`;
    const net = cuttable();
    const [away, other] = [await clientOf({ mode, WebSocket: net.make }), await clientOf({ mode })];
    const [mine, theirs] = [away.map<string>(name), other.map<string>(name)];
    await Promise.all(["a", "b", "c", "d"].map((key) => theirs.set(key, "before")));
    const [followed, beside] = [follow<string>(away, name), follow<string>(other, name)];
    await Promise.all([followed.subscription.synced, beside.subscription.synced]);
    net.cut();
    while (away.status().state !== "offline") await pause(5);
    const offline = mine.set("e", "mine");
    const both = mine.set("d", "mine, older");
    expect(followed.subscription.get("e")).toBe("mine");
    await pause(20);
    await theirs.set("a", "theirs");
    await theirs.delete("b");
    await theirs.set("d", "theirs, newer");
    await pause(100);
    const before = followed.calls.length;
    net.heal();
    expect(await offline).toEqual({ superseded: false });
    expect(await both).toEqual({ superseded: true });
    const expected = { a: "theirs", c: "before", d: "theirs, newer", e: "mine" };
    await shows(followed, expected);
    await shows(beside, expected);
    const again = followed.calls.slice(before).flat();
    expect(
      again.filter(({ key }) => key === "c"),
      "it has that already",
    ).toEqual([]);
  });

  it("misses nothing while partitions move under it and writers write", async () => {
    const name = `moved-${mode}`;
    const [a, b] = [await clientOf({ mode }), await clientOf({ mode })];
    const followed = follow<number>(a, name);
    await followed.subscription.synced;
    const written = { rounds: 0, enough: false };
    const keys = Array.from({ length: 40 }, (_, n) => `k${n}`);
    const writing = (async () => {
      while (!written.enough) {
        written.rounds++;
        await Promise.all(
          keys.map((key, n) => (n % 4 === 0 ? a : b).map(name).set(key, written.rounds)),
        );
      }
    })();
    for (const partition of [1, 2, 3]) {
      const owner = await grid.ownerOf(partition);
      const to = grid.nodes.find((node) => node !== owner);
      await grid.api.json("POST", "/v1/cluster/migrations", { partition, to });
      while ((await grid.ownerOf(partition)) === owner) await pause(20);
    }
    written.enough = true;
    await writing;
    expect(written.rounds).toBeGreaterThan(3);
    await shows(followed, sorted(keys.map((key) => [key, written.rounds])));
  }, 60_000);
});

describe("what a subscription is about", () => {
  it("is keys that start so, these keys, or values that fit; for own writes, too", async () => {
    const [a, b] = [await clientOf(), await clientOf()];
    const [mine, theirs] = [a.map<{ n: number }>("some"), b.map<{ n: number }>("some")];
    await Promise.all(["ax", "ay", "bx"].map((key, n) => theirs.set(key, { n })));
    const prefixed = follow(a, "some", { prefix: "a" });
    const named = follow(a, "some", { keys: ["bx", "cx"] });
    const fitting = follow(a, "some", { where: { op: "ge", field: "n", value: 1 } });
    await Promise.all([prefixed, named, fitting].map(({ subscription }) => subscription.synced));
    await shows(prefixed, { ax: { n: 0 }, ay: { n: 1 } });
    await shows(named, { bx: { n: 2 } });
    await shows(fitting, { ay: { n: 1 }, bx: { n: 2 } });
    await Promise.all([
      mine.set("ay", { n: 0 }),
      theirs.set("bx", { n: 0 }),
      mine.set("cx", { n: 9 }),
    ]);
    await theirs.set("ax", { n: 7 });
    await shows(prefixed, { ax: { n: 7 }, ay: { n: 0 } });
    await shows(named, { bx: { n: 0 }, cx: { n: 9 } });
    await shows(fitting, { ax: { n: 7 }, cx: { n: 9 } });
    expect(sorted(await b.map("some").entries({ prefix: "a" }))).toEqual({
      ax: { n: 7 },
      ay: { n: 0 },
    });
  });

  it("is the first so many in an order, and who is pushed out is not there any more", async () => {
    const [a, b] = [await clientOf(), await clientOf()];
    const [mine, theirs] = [a.map<{ n: number }>("best"), b.map<{ n: number }>("best")];
    await Promise.all([3, 1, 2, 5].map((n) => theirs.set(`k${n}`, { n })));
    const best = { orderBy: "n", descending: true, limit: 3 };
    const followed = follow(a, "best", best);
    await followed.subscription.synced;
    await shows(followed, { k2: { n: 2 }, k3: { n: 3 }, k5: { n: 5 } });
    const writing = mine.set("k4", { n: 4 });
    await shows(followed, { k3: { n: 3 }, k4: { n: 4 }, k5: { n: 5 } });
    const ranked = followed.subscription.entries().map(([key]) => key);
    expect(ranked).toEqual(["k5", "k4", "k3"]);
    expect(["k4", "k2"].map((key) => followed.subscription.get(key))).toEqual([
      { n: 4 },
      undefined,
    ]);
    await writing;
    await theirs.delete("k5");
    await shows(followed, { k2: { n: 2 }, k3: { n: 3 }, k4: { n: 4 } });
    const two = await theirs.entries({ orderBy: "n", limit: 2 });
    expect(two.map(([key]) => key)).toEqual(["k1", "k2"]);
  });

  it("is refused by name where it makes no sense, and nothing is followed", async () => {
    const map = (await clientOf()).map("some");
    const wrong = [
      [{ where: null }, "where"],
      [{ where: "" }, "where"],
      [{ where: () => true }, "where"],
      [{ keys: "a" }, "keys"],
      [{ keys: Array.from({ length: 101 }, (_, n) => `${n}`) }, "keys"],
      [{ prefix: "x".repeat(513) }, "prefix"],
      [{ where: { op: "like", field: "n", value: 1 } }, "where.op"],
      [{ where: { op: "lt", field: "n", value: null } }, "where.value"],
      [{ orderBy: 5 }, "orderBy"],
      [{ descending: "yes" }, "descending"],
      [{ limit: 0 }, "limit"],
    ] as const;
    for (const [options, field] of wrong) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as a program without types would
      const subscription = map.subscribe(() => undefined, options as unknown as SubscribeOptions);
      await expect(subscription.synced, field).rejects.toMatchObject({ data: { field } });
      expect(await subscription.closed).toMatchObject({ data: { field } });
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    const unheard = map.subscribe(undefined as never);
    await expect(unheard.synced).rejects.toMatchObject({ data: { field: "listener" } });
  });
});

describe("an entry with a lifetime", () => {
  it("is told as gone when that is over", async () => {
    const [a, b] = [await clientOf(), await clientOf()];
    const followed = follow<number>(a, "brief");
    await followed.subscription.synced;
    await Promise.all([
      b.map<number>("brief").set("theirs", 1, { ttl: 600 }),
      a.map<number>("brief").set("mine", 2, { ttl: 600 }),
      b.map<number>("brief").set("stays", 3),
    ]);
    await shows(followed, { mine: 2, stays: 3, theirs: 1 });
    await shows(followed, { stays: 3 });
  });
});

describe("a node that is lost", () => {
  it("takes nothing from a subscription that another one has acknowledged, and its followers go elsewhere", async () => {
    const [a, b] = [await clientOf({ mode: "gateway" }), await clientOf()];
    const followed = follow<number>(a, "lost");
    const theirs = b.map<number>("lost");
    const keys = Array.from({ length: 60 }, (_, n) => `k${n}`);
    await Promise.all(keys.map((key) => theirs.set(key, 1, { ack: "backup" })));
    await followed.subscription.synced;
    const [over] = a.status().nodes;
    await grid.killNode(over ?? expect.fail("over no node"));
    await Promise.all(keys.map((key) => theirs.set(key, 2)));
    await shows(followed, sorted(keys.map((key) => [key, 2])));
  }, 90_000);
});

describe("an application that", () => {
  it("subscribes while it has written offline sees that, and what others wrote when it is back", async () => {
    const net = cuttable();
    const [away, other] = [await clientOf({ WebSocket: net.make }), await clientOf()];
    await other.map<number>("offline").set("theirs", 1);
    net.cut();
    while (away.status().state !== "offline") await pause(5);
    const writing = Promise.all([1, 2, 3].map((n) => away.map<number>("offline").set("mine", n)));
    const followed = follow<number>(away, "offline");
    await shows(followed, { mine: 3 });
    net.heal();
    await writing;
    await shows(followed, { mine: 3, theirs: 1 });
  });

  it("changes its options later has not changed its subscription", async () => {
    const [a, b] = [await clientOf(), await clientOf()];
    const keys = ["x"];
    const followed = follow<number>(a, "copied", { keys });
    keys[0] = "y";
    await followed.subscription.synced;
    await Promise.all(["x", "y"].map((key) => b.map<number>("copied").set(key, 1)));
    await shows(followed, { x: 1 });
  });

  it("closes what it has just opened is told so, nothing else and nothing more", async () => {
    const [a, b] = [await clientOf(), await clientOf()];
    const early = follow<number>(a, "closed");
    early.subscription.close();
    await expect(early.subscription.synced).rejects.toMatchObject({ code: "CLOSED" });
    expect(await early.subscription.closed).toBeNull();
    let calls = 0;
    const once = a.map<number>("closed").subscribe(() => {
      calls++;
      once.close();
    });
    await once.synced;
    await b.map<number>("closed").set("x", 1);
    await vi.waitFor(() => expect(calls).toBe(1));
    await b.map<number>("closed").set("x", 2);
    await pause(200);
    expect(calls).toBe(1);
  });

  it("opens more than 100 subscriptions is told so, and may open another when it has closed one", async () => {
    const a = await clientOf({ mode: "gateway" });
    const open = (): Subscription<number> =>
      a.map<number>("many").subscribe(() => undefined, { keys: ["x"] });
    const all = Array.from({ length: 100 }, open);
    await Promise.all(all.map(({ synced }) => synced));
    const data = { field: "subscriptions", value: 101, max: 100 };
    await expect(open().synced).rejects.toMatchObject({ code: "OUT_OF_BOUNDS", data });
    all[7]?.close();
    await open().synced;
  });
});

it("what is closed tells its followers nothing more, and new ones at once", async () => {
  const client = await clientOf();
  const followed = follow(client, "some");
  await followed.subscription.synced;
  client.close();
  expect(await followed.subscription.closed).toMatchObject({ code: "CLOSED" });
  const late = follow(client, "some");
  await expect(late.subscription.synced).rejects.toMatchObject({ code: "CLOSED" });
});
