/** Clients that ask nothing keep the map that the cluster has. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULTS } from "../../src/core/config.ts";
import { ClusterId } from "../../src/data/ids.ts";
import type { PartitionMapPayload } from "../../src/data/members.ts";
import type { ServerMessage } from "../../src/protocol/client-messages.ts";
import { PROTOCOL_VERSION } from "../../src/protocol/version.ts";
import { Client, opOf } from "./client.ts";
import { follow, timeless, type Followed } from "./followed.ts";
import { fill, Grid } from "./grid.ts";
import { keysIn } from "./partition-writer.ts";
import { SlowReader } from "./slow-reader.ts";
import { pause } from "./writer.ts";

const SOCKETS = 20;
/** Answers that lie before the first delta of a client that does not read: some 12 MB. */
const PILE = 4;
const BIG = Array.from({ length: 15 }, (_, i) => `big${i}`);

const HELLO = {
  type: "HELLO",
  version: PROTOCOL_VERSION,
  cluster: ClusterId("main"),
  forward: true,
} as const;

let grid: Grid;
const clients: Client[] = [];

beforeAll(async () => {
  grid = await Grid.start({ nodes: 3, partitions: 271 });
  await fill(grid.api, "big", { keys: BIG, value: "v".repeat(200_000) });
  for (let i = 0; i < SOCKETS; i++) clients.push(await greeted(grid.nodes[i % 3] ?? "", i));
}, 60_000);
afterAll(() => grid.stop());

async function until(is: () => boolean, what: string): Promise<void> {
  for (const began = Date.now(); !is(); await pause(5))
    if (Date.now() - began > 10_000) throw new Error(`${what} does not come`);
}

/** Nothing of what it receives is taken away: the welcome is the first. */
async function greeted(node: string, i: number): Promise<Client> {
  const client = await Client.open(grid.api.base, `?node=${node}`);
  client.send({ ...HELLO, clientId: `follower-${i}` });
  await until(() => client.received.length > 0, "a welcome");
  return client;
}

/** Once each has the map of the cluster; that must come without any question of theirs. */
async function caughtUp(
  followers: readonly { readonly received: readonly ServerMessage[] }[],
): Promise<readonly Followed[]> {
  const { body } = await grid.api.json<PartitionMapPayload>("GET", "/v1/map");
  const whole = timeless(body);
  for (const began = Date.now(); ; await pause(50)) {
    const followed = followers.map(({ received }) => follow(received));
    const behind = followed.filter(({ map }) => map?.version !== body.version);
    if (behind.length > 0 && Date.now() - began < 5_000) continue;
    for (const { map } of followed) expect(timeless(map)).toEqual(whole);
    return followed;
  }
}

const resized = async (method: string, path: string, nodes: readonly string[]): Promise<void> => {
  const body = method === "POST" ? { count: 1 } : undefined;
  expect((await grid.api.json(method, path, body)).status).toBe(202);
  await grid.api.settled(nodes);
};

describe("20 sockets at three nodes", () => {
  it("follow a cluster that grows by one, in few pushes", async () => {
    const before = await caughtUp(clients);
    const began = Date.now();
    await resized("POST", "/v1/cluster/nodes", [...grid.nodes, "n4"]);
    const after = await caughtUp(clients);
    const tookMs = Date.now() - began;
    for (const [i, now] of after.entries()) {
      const then = before[i];
      const pushes = now.deltas - (then?.deltas ?? 0);
      const versions = (now.map?.version ?? 0) - (then?.map?.version ?? 0);
      expect(versions, "67 moves, three rulings each").toBeGreaterThanOrEqual(3 * 67);
      expect(pushes).toBeGreaterThan(1);
      expect(pushes, `in ${tookMs} ms`).toBeLessThanOrEqual(tookMs / DEFAULTS.mapPushMs + 2);
      expect(pushes, "changes go together").toBeLessThan(versions / 2);
      expect(now.wholes, "only the first").toBe(1);
      expect(now.misfits).toBe(0);
    }
  });

  it("and that shrinks again; one that reads nothing meanwhile finds no gap when it reads on", async () => {
    const slow = new SlowReader(grid.api.base, "?node=n2");
    try {
      slow.send({ ...HELLO, clientId: "slow" });
      await until(() => slow.received.length > 0, "a welcome");
      slow.stopReading();
      // More than what lies between can hold: from here on the node's own buffer fills.
      for (let seq = 0; seq < PILE; seq++)
        slow.send({ type: "GET", seq, keys: BIG.map((key) => ({ map: "big", key })) });
      await resized("DELETE", "/v1/cluster/nodes/n4", grid.nodes);
      expect(slow.received, "it has read nothing yet").toHaveLength(1);
      slow.readOn();
      const [late] = await caughtUp([slow]);
      // An answer may bring the map, where a key is elsewhere by now; no push does.
      expect(slow.received.map(({ type }) => type)).not.toContain("MAP");
      expect(late?.misfits).toBe(0);
      expect(slow.receivedBytes).toBeGreaterThan(PILE * 3_000_000);
      expect(late?.deltas).toBeGreaterThan(1);
    } finally {
      slow.end();
    }
    for (const { map, wholes, misfits } of await caughtUp(clients)) {
      expect(map?.nodes.map(({ nodeId }) => nodeId)).toEqual(grid.nodes);
      expect({ wholes, misfits }).toEqual({ wholes: 1, misfits: 0 });
    }
  });

  it("over hibernation: what each was sent is known to a node that has forgotten everything else", async () => {
    for (let round = 0; round < 3; round++) {
      // To evict one takes until it is dormant: meanwhile another may leave by itself.
      let evicted = 0;
      for (const node of grid.nodes) if (await grid.evict(node)) evicted++;
      expect(evicted).toBeGreaterThan(0);
      const sent = clients.map(({ received }) => received.length);
      const owner = await grid.ownerOf(round);
      const to = grid.nodes.find((node) => node !== owner) ?? "";
      const move = { partition: round, to };
      expect((await grid.api.json("POST", "/v1/cluster/migrations", move)).status).toBe(202);
      await grid.api.settled(grid.nodes);
      expect(await grid.ownerOf(round)).toBe(to);
      for (const [i, { wholes, misfits }] of (await caughtUp(clients)).entries()) {
        expect(clients[i]?.received.length).toBeGreaterThan(sent[i] ?? Infinity);
        expect({ wholes, misfits }).toEqual({ wholes: 1, misfits: 0 });
      }
    }
  });

  it("a client that asks from its version is told what it lacks, also if that is nothing", async () => {
    const [client] = clients;
    const [{ map } = { map: null }] = await caughtUp(clients);
    if (!client || !map) throw new Error("there are clients with maps");
    const { version, viewVersion } = map;
    const ask = async (known: object): Promise<ServerMessage | undefined> => {
      const { length } = client.received;
      client.send({ type: "FETCH_MAP", ...known });
      await until(() => client.received.length > length, "an answer");
      return client.received[length];
    };
    const nothing = { type: "MAP_DELTA", from: version, to: version, partitions: [], nodes: [] };
    expect(await ask({ version, viewVersion })).toMatchObject(nothing);
    expect(await ask({ version })).toMatchObject(nothing);
    expect(await ask({})).toMatchObject({ type: "MAP", map: timeless(map) });
    expect(await ask({ version: 1 })).toMatchObject({ type: "MAP", map: timeless(map) });
  });
});

describe("a client whose frames wait while a partition moves", () => {
  it("is sent no map twice, however many of them name what is elsewhere", async () => {
    const [n1 = "", n2 = ""] = grid.nodes;
    const [moved = 0, stays = 0] = await grid.ownedBy(n1);
    const [other = 0] = await grid.ownedBy(n2);
    const keys = [
      ...keysIn(stays, 271, { prefix: "here", count: 999 }),
      ...keysIn(other, 271, { prefix: "there", count: 1 }),
    ];
    const client = await Client.open(grid.api.base, `?node=${n1}`);
    await client.hello(false, "waits");
    const ops = keys.map((key, i) => opOf(key, new Uint8Array(50), "waits", i));
    const all = (type: ServerMessage["type"]) => client.received.filter((m) => m.type === type);
    const maps = (): readonly number[] =>
      all("NOT_OWNER").flatMap((m) => ("map" in m && m.map ? [m.map.version] : []));
    const order = { partition: moved, to: n2 };
    const ordered = grid.api.json("POST", "/v1/cluster/migrations", order);
    let sent = 0;
    while (all("MAP_DELTA").length + maps().length === 0 && sent < 1_000) {
      while (sent < all("ACK").length + 40) client.send({ type: "OPS", seq: sent++, ops });
      await pause(1);
    }
    expect((await ordered).status).toBe(202);
    await until(() => all("ACK").length === sent, "an answer to each");
    expect(all("NOT_OWNER")).toHaveLength(sent);
    expect(all("MAP_DELTA").length + maps().length, "of what changed").toBeGreaterThan(0);
    expect(maps()).toEqual([...new Set(maps())]);
    client.socket.close();
  });
});
