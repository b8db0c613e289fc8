/** Subscriptions to sets and counters against real objects and sockets: moves, a lost node, cut connections, refused operations. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { ElementChange, Following, Grid as Client, Options } from "godwit/client";
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

interface Followed<News> {
  readonly subscription: Following;
  /** As its listener was told, one after the other. */
  readonly heard: News[];
}

interface FollowedSet extends Followed<ElementChange<string>> {
  readonly values: Set<string>;
}

/** Fails where something is told that is so already. */
function followSet(client: Client, name: string, key = "k"): FollowedSet {
  const values = new Set<string>();
  const heard: ElementChange<string>[] = [];
  const subscription = client.set<string>(name, key).subscribe((changes) => {
    for (const change of changes) {
      const { value, isThere } = change;
      expect(values.has(value), `${value} told twice`).toBe(!isThere);
      heard.push(change);
      if (isThere) values.add(value);
      else values.delete(value);
    }
  });
  return { subscription, heard, values };
}

function followCounter(client: Client, name: string, key = "k"): Followed<number> {
  const heard: number[] = [];
  const subscription = client.counter(name, key).subscribe((total) => void heard.push(total));
  return { subscription, heard };
}

const WAIT = { timeout: 15_000, interval: 20 };
const has = async ({ values }: FollowedSet, expected: readonly string[]): Promise<void> =>
  vi.waitFor(() => expect([...values].toSorted()).toEqual(expected.toSorted()), WAIT);
const totals = async ({ heard }: Followed<number>, expected: number): Promise<void> =>
  vi.waitFor(() => expect(heard.at(-1)).toBe(expected), WAIT);

describe.each(["direct", "gateway"] as const)("a set, %s", (mode) => {
  it("shows what there is, then what changes, whoever does it, and nothing after it is closed", async () => {
    const name = `set-${mode}`;
    const [a, b] = [await clientOf({ mode }), await clientOf({ mode })];
    const [mine, theirs] = [a.set<string>(name, "k"), b.set<string>(name, "k")];
    await Promise.all(["x", "y"].map((value) => theirs.add(value)));
    await b.set<string>(name, "other").add("z");
    const followed = followSet(a, name);
    await followed.subscription.synced;
    expect([...followed.values].toSorted()).toEqual(["x", "y"]);
    const adding = mine.add("own");
    await Promise.resolve();
    await has(followed, ["own", "x", "y"]);
    await adding;
    await theirs.add("own");
    await theirs.delete("x");
    await has(followed, ["own", "y"]);
    await pause(200);
    await mine.delete("own");
    await has(followed, ["y"]);
    await pause(200);
    expect(await theirs.values(), "all that was told was removed").toEqual(["y"]);
    followed.subscription.close();
    expect(await followed.subscription.closed).toBeNull();
    await theirs.add("late");
    await pause(200);
    expect([...followed.values]).toEqual(["y"]);
  });

  it("keeps what somebody adds unseen, over a connection that is cut", async () => {
    const name = `cut-${mode}`;
    const net = cuttable();
    const [away, other] = [await clientOf({ mode, WebSocket: net.make }), await clientOf({ mode })];
    const [mine, theirs] = [away.set<string>(name, "k"), other.set<string>(name, "k")];
    await Promise.all(["kept", "gone", "stays"].map((value) => theirs.add(value)));
    const [followed, beside] = [followSet(away, name), followSet(other, name)];
    await Promise.all([followed.subscription.synced, beside.subscription.synced]);
    net.cut();
    while (away.status().state !== "offline") await pause(5);
    const offline = Promise.all([mine.delete("kept"), mine.delete("gone"), mine.add("new")]);
    const both = Promise.all([mine.add("brief"), mine.delete("brief")]);
    await has(followed, ["new", "stays"]);
    await theirs.add("kept");
    net.heal();
    await Promise.all([offline, both]);
    for (const one of [followed, beside]) await has(one, ["kept", "new", "stays"]);
    expect(
      followed.heard.filter(({ value }) => value === "stays"),
      "it has that already",
    ).toHaveLength(1);
  });

  it("misses nothing while partitions move under it and two clients change it", async () => {
    const name = `moved-${mode}`;
    const [a, b] = [await clientOf({ mode }), await clientOf({ mode })];
    const keys = Array.from({ length: 8 }, (_, n) => `k${n}`);
    const all = keys.map((key) => [followSet(a, name, key), followCounter(b, name, key)] as const);
    await Promise.all(all.flat().map(({ subscription }) => subscription.synced));
    const written = { rounds: 0, enough: false };
    const writing = (async () => {
      while (!written.enough) {
        const n = written.rounds++;
        const one = async (key: string): Promise<unknown> =>
          Promise.all([
            a.set<string>(name, key).add(`a${n}`),
            b.set<string>(name, key).add(`b${n}`),
            n > 0 && a.set<string>(name, key).delete(`b${n - 1}`),
            a.counter(name, key).increment(2),
            b.counter(name, key).increment(-1),
          ]);
        await Promise.all(keys.map(one));
        await pause(10);
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
    const { rounds } = written;
    expect(rounds).toBeGreaterThan(3);
    for (const [i, [set, counter]] of all.entries()) {
      const stored = await b.set<string>(name, keys[i]).values();
      expect(stored.length, "not vacuous").toBeGreaterThan(rounds);
      await has(set, stored);
      await totals(counter, rounds);
    }
  }, 60_000);
});

describe("an element with a lifetime", () => {
  it("is told as gone when that is over, unless another add of it goes on", async () => {
    const [a, b] = [await clientOf(), await clientOf()];
    const followed = followSet(a, "brief");
    await followed.subscription.synced;
    await Promise.all([
      a.set<string>("brief", "k").add("mine", { ttl: 500 }),
      b.set<string>("brief", "k").add("theirs", { ttl: 500 }),
      b.set<string>("brief", "k").add("both", { ttl: 500 }),
      a.set<string>("brief", "k").add("both"),
    ]);
    await has(followed, ["both", "mine", "theirs"]);
    await has(followed, ["both"]);
  });
});

describe("a counter", () => {
  it("is told when all of it is known, and goes up once for each that is added, by whomever", async () => {
    const [a, b] = [await clientOf(), await clientOf({ mode: "gateway" })];
    const [mine, theirs] = [a.counter("likes", "k"), b.counter("likes", "k")];
    await Promise.all([mine.increment(5), theirs.increment(10)]);
    const followed = followCounter(a, "likes");
    await followed.subscription.synced;
    expect(followed.heard).toEqual([15]);
    for (let n = 0; n < 20; n++) await mine.increment();
    await pause(300);
    const expected = Array.from({ length: 21 }, (_, n) => 15 + n);
    expect(followed.heard, "never counted twice, nor for a moment not").toEqual(expected);
    await theirs.increment(-5);
    await totals(followed, 30);
    const empty = followCounter(a, "likes", "nothing");
    await empty.subscription.synced;
    expect(empty.heard).toEqual([0]);
  });

  it("shows at once what is added offline, and the same as everybody when it is back", async () => {
    const net = cuttable();
    const [away, other] = [await clientOf({ WebSocket: net.make }), await clientOf()];
    const [followed, beside] = [followCounter(away, "offline"), followCounter(other, "offline")];
    await Promise.all([followed.subscription.synced, beside.subscription.synced]);
    await away.counter("offline", "k").increment(1);
    await totals(beside, 1);
    net.cut();
    while (away.status().state !== "offline") await pause(5);
    const adding = [2, 3].map((by) => away.counter("offline", "k").increment(by));
    await totals(followed, 6);
    await other.counter("offline", "k").increment(10);
    net.heal();
    await Promise.all(adding);
    for (const one of [followed, beside]) await totals(one, 16);
    expect(
      followed.heard.toSorted((x, y) => x - y),
      "never less",
    ).toEqual(followed.heard);
  });
});

describe("a node that is lost", () => {
  it("takes nothing from what is followed that another one has", async () => {
    const [a, b] = [await clientOf({ mode: "gateway" }), await clientOf()];
    const keys = Array.from({ length: 8 }, (_, n) => `k${n}`);
    const all = keys.map(
      (key) => [followSet(a, "lost", key), followCounter(a, "lost", key)] as const,
    );
    await Promise.all(all.flat().map(({ subscription }) => subscription.synced));
    const write = async (client: Client, value: string): Promise<unknown> =>
      Promise.all(
        keys.flatMap((key) => [
          client.set<string>("lost", key).add(value, { ack: "backup" }),
          client.counter("lost", key).increment(1, { ack: "backup" }),
        ]),
      );
    await Promise.all([write(a, "a"), write(b, "b")]);
    const [over] = a.status().nodes;
    await grid.killNode(over ?? expect.fail("over no node"));
    await Promise.all([write(a, "c"), write(b, "d")]);
    for (const [set, counter] of all) {
      await has(set, ["a", "b", "c", "d"]);
      await totals(counter, 4);
    }
  }, 90_000);
});

describe("an application that", () => {
  it("subscribes twice is told twice, and what it removes is gone in both", async () => {
    const [a, b] = [await clientOf(), await clientOf()];
    const [one, two] = [followSet(a, "twice"), followSet(a, "twice")];
    await Promise.all([one.subscription.synced, two.subscription.synced]);
    await b.set<string>("twice", "k").add("x");
    for (const each of [one, two]) await has(each, ["x"]);
    one.subscription.close();
    await a.set<string>("twice", "k").delete("x");
    await has(two, []);
    expect([...one.values]).toEqual(["x"]);
  });

  it("closes what it has just opened is told so, and nothing else", async () => {
    const a = await clientOf();
    for (const early of [followSet(a, "closed"), followCounter(a, "closed")]) {
      early.subscription.close();
      await expect(early.subscription.synced).rejects.toMatchObject({ code: "CLOSED" });
      expect(await early.subscription.closed).toBeNull();
      expect(early.heard).toEqual([]);
    }
  });

  it("asks for what cannot be is told what is wrong", async () => {
    const a = await clientOf();
    const long = followSet(a, "wrong", "x".repeat(513));
    await expect(long.subscription.synced).rejects.toMatchObject({ data: { field: "keys[0]" } });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as a program without types would
    const unheard = a.counter("wrong").subscribe(undefined as never);
    await expect(unheard.synced).rejects.toMatchObject({ data: { field: "listener" } });
  });

  it("closes all hears nothing more", async () => {
    const a = await clientOf();
    const followed = followCounter(a, "over");
    await followed.subscription.synced;
    await a.counter("over", "k").increment(3);
    a.counter("over", "k")
      .increment(4)
      .catch(() => undefined);
    a.close();
    expect(await followed.subscription.closed).toMatchObject({ code: "CLOSED" });
    await pause(50);
    expect(followed.heard.at(-1)).not.toBe(0);
  });
});
