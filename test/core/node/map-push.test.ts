/** What clients are pushed of the map, by the machine of a node. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULTS } from "../../../src/core/config.ts";
import { pushesOf } from "../../../src/core/node/map-delta.ts";
import { changedSince, noHistory, record, wasAt } from "../../../src/core/node/map-history.ts";
import { initialNode } from "../../../src/core/node/state.ts";
import { Version } from "../../../src/data/ids.ts";
import { MapWorld, NODES, PARTITIONS, type MapClient } from "./map-world.ts";

type Act = (world: MapWorld) => void;

const node = fc.nat(NODES - 1);
const p = fc.nat(PARTITIONS - 1);
const client = fc.nat(1);
const copies = fc.constantFrom([], [{ nodeId: "c", state: "complete" as const }] as never);

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.tuple(p, fc.constantFrom("a", "b"), copies).map(([at, owner, held]): Act => (world) => {
    world.rule(at, owner, held);
  }),
  fc.tuple(fc.constantFrom("add", "remove", "leaving", "active"), fc.nat(3)).map(
    ([what, which]): Act =>
      (world) =>
        world.change(what, which),
  ),
  fc.tuple(node, fc.nat(3)).map(
    ([n, lag]): Act =>
      (world) =>
        world.tellTable(n, lag),
  ),
  node.map(
    (n): Act =>
      (world) =>
        world.tellView(n),
  ),
  fc.tuple(node, p).map(
    ([n, at]): Act =>
      (world) =>
        world.tellRuling(n, at),
  ),
  node.map(
    (n): Act =>
      (world) =>
        world.restart(n),
  ),
  fc.constantFrom(1, 40, 200).map(
    (ms): Act =>
      (world) =>
        world.advance(ms),
  ),
  fc
    .tuple(client, node, fc.constantFrom("leave", "comeBack"))
    .map(([c, n, what]): Act => (world) => {
      const who = world.clients[c];
      if (who?.nodes.includes(n)) world[what](who, n);
    }),
  fc.tuple(client, fc.constantFrom("whole", "version", "both")).map(([c, how]): Act => (world) => {
    ask(world, world.clients[c], how);
  }),
);

function ask(world: MapWorld, who: MapClient | undefined, how: "whole" | "version" | "both"): void {
  if (!who?.map) return;
  const { version, viewVersion } = who.map;
  const known = how === "whole" ? {} : how === "both" ? { version, viewVersion } : { version };
  const last = Math.max(...who.sessions.keys());
  if (!who.sessions.has(last)) return;
  world.frame(who, last, { type: "FETCH_MAP", ...known });
}

function settle(world: MapWorld): void {
  for (let n = 0; n < NODES; n++) {
    world.tellTable(n, 0);
    world.tellView(n);
  }
  for (let i = 0; i < 3; i++) world.advance(DEFAULTS.mapPushMs);
}

const without = (map: MapClient["map"]): object => {
  const { generatedAt: _, ...rest } = map ?? { generatedAt: 0 };
  return rest;
};

describe("whatever is ruled, and however nodes hear of it", () => {
  it("a client's map is true at every version, has no gap on one socket, and is the whole one in the end", () => {
    let deltas = 0;
    let gaps = 0;
    const history = fc.constantFrom(DEFAULTS.mapHistoryMax, 6, 0);
    fc.assert(
      fc.property(history, fc.array(act, { minLength: 5, maxLength: 60 }), (max, acts) => {
        const world = new MapWorld(max);
        const one = world.connect([0]);
        const both = world.connect([0, 1]);
        for (const run of acts) {
          run(world);
          for (const { map } of world.clients) expect(map && world.falseParts(map)).toEqual([]);
          expect(one.gaps).toBe(0);
        }
        for (const who of world.clients) for (const n of who.nodes) world.comeBack(who, n);
        settle(world);
        for (const { map } of world.clients) expect(without(map)).toEqual(world.whole);
        deltas += one.deltas + both.deltas;
        gaps += both.gaps;
      }),
      { numRuns: 1_500 },
    );
    expect(deltas, "deltas applied").toBeGreaterThan(2_000);
    expect(gaps, "gaps closed by asking").toBeGreaterThan(20);
  });
});

describe("pushes", () => {
  it("the first goes at once, what follows within the pause goes together, and then nothing is armed", () => {
    const world = new MapWorld();
    const one = world.connect([0]);
    world.advance(1_000);
    world.pushes = 0;
    for (let i = 0; i < 20; i++) {
      world.rule(i % PARTITIONS, `o${i}`, []);
      world.tellTable(0, 0);
    }
    expect(world.pushes).toBe(1);
    expect(one.deltas).toBe(1);
    expect(world.wakeAt(0)).toBe(world.now + DEFAULTS.mapPushMs);
    world.advance(DEFAULTS.mapPushMs);
    expect(world.pushes).toBe(2);
    expect(one.deltas).toBe(2);
    expect(without(one.map)).toEqual(world.whole);
    expect(world.wakeAt(0)).toBeNull();
  });

  it("nothing is pushed where nothing is new", () => {
    const world = new MapWorld();
    world.connect([0]);
    world.advance(1_000);
    world.pushes = 0;
    for (let i = 0; i < 5; i++) {
      world.tellTable(0, 3);
      world.tellView(0);
      world.advance(1_000);
    }
    expect(world.pushes).toBe(0);
  });

  it("a push that was due when the node fell asleep is made when its alarm rings", () => {
    const world = new MapWorld();
    const one = world.connect([0]);
    world.advance(1_000);
    for (let i = 0; i < 2; i++) {
      world.rule(i, "b", []);
      world.tellTable(0, 0);
    }
    expect(without(one.map)).not.toEqual(world.whole);
    world.restart(0);
    expect(without(one.map)).toEqual(world.whole);
    expect(one.gaps).toBe(0);
  });

  it("none is made or planned where nobody listens; who comes then is told all, and is pushed what follows", () => {
    const world = new MapWorld();
    const change = (): void => {
      for (let i = 0; i < 3; i++) {
        world.rule(i, `o${world.now}`, []);
        world.tellTable(0, 0);
        world.advance(1);
      }
    };
    const nothingDone = (): void => expect([world.pushes, world.wakeAt(0)]).toEqual([0, null]);
    change();
    nothingDone();
    world.restart(0);
    change();
    nothingDone();
    const one = world.connect([0]);
    expect(without(one.map)).toEqual(world.whole);
    nothingDone();
    change();
    world.advance(DEFAULTS.mapPushMs);
    expect(world.pushes).toBe(2);
    expect(without(one.map)).toEqual(world.whole);
    world.pushes = 0;
    world.leave(one, 0);
    change();
    nothingDone();
    world.comeBack(one, 0);
    expect(without(one.map)).toEqual(world.whole);
    expect(one.gaps).toBe(0);
  });

  it("a clock that was set back holds nothing up", () => {
    const world = new MapWorld();
    const one = world.connect([0]);
    world.now = 100;
    world.rule(0, "b", []);
    world.tellTable(0, 0);
    expect(without(one.map)).toEqual(world.whole);
  });

  it("of partitions fit a client with two sockets, though its nodes push at different times", () => {
    const world = new MapWorld();
    const both = world.connect([0, 1]);
    world.advance(1_000);
    const { version: before = 0 } = both.map ?? {};
    const { deltas } = both;
    for (let i = 0; i < 100; i++) {
      world.rule(i % PARTITIONS, `o${i}`, []);
      // The pauses of the two overlap: each push of one comes between two of the other.
      world.tellTable(i % 2, 0);
      world.advance(0.6 * DEFAULTS.mapPushMs);
    }
    expect(both.map?.version).toBeGreaterThan(before + 90);
    expect(both.deltas - deltas).toBeGreaterThan(90);
    expect(both.gaps).toBe(0);
  });

  it("are encoded once for all clients that know the same, and not at all for those that lack nothing", () => {
    const { saved } = initialNode(DEFAULTS);
    const self = { ...saved.self, tableVersion: Version(5) };
    const changes = [{ version: Version(5), ids: [] }];
    const news = {
      saved: { ...saved, self },
      partitions: { since: Version(3), changes },
      nodes: noHistory(Version(0)),
      now: 0,
    };
    const encoded: string[] = [];
    const pushFor = pushesOf(news, ({ type }) => encoded.push(type));
    const viewVersion = Version(0);
    for (const version of [3, 4, 5, 3, 2, 1, 4, 5, 2, 3].map(Version))
      expect(pushFor({ version, viewVersion }) === null).toBe(version === 5);
    expect(encoded).toEqual(["MAP_DELTA", "MAP_DELTA", "MAP", "MAP"]);
  });
});

describe("an answer to FETCH_MAP", () => {
  it("from the version that the client has, also where nothing has changed", () => {
    const world = new MapWorld();
    const one = world.connect([0]);
    const { deltas } = one;
    const before = one.map;
    for (const how of ["version", "both"] as const) ask(world, one, how);
    expect(one.deltas).toBe(deltas + 2);
    expect(without(one.map)).toEqual(without(before));
  });

  it("the whole map, from a version of before the node joined", () => {
    const world = new MapWorld();
    const one = world.connect([0]);
    const joined = { version: Version(10), viewVersion: Version(10) };
    expect(one.map).toMatchObject(joined);
    for (const half of ["version", "viewVersion"] as const) {
      const { wholes } = one;
      world.frame(one, 0, { type: "FETCH_MAP", ...joined, [half]: Version(9) });
      expect(one.wholes, half).toBe(wholes + 1);
    }
  });
});

describe("a history", () => {
  it("names what changed since, each once, and knows how far back it goes", () => {
    let history = record<string>(noHistory(Version(1)), Version(3), ["a", "b"], 4);
    history = record(history, Version(6), ["b"], 4);
    expect([...(changedSince(history, Version(1)) ?? [])]).toEqual(["a", "b"]);
    expect([...(changedSince(history, Version(4)) ?? [])]).toEqual(["b"]);
    expect(changedSince(history, Version(0))).toBeNull();
    expect([1, 2, 3, 6].filter((at) => wasAt(history, Version(at)))).toEqual([1, 3, 6]);
    history = record(history, Version(7), ["c", "d"], 4);
    expect(history.since, "the oldest went").toBe(3);
    expect(changedSince(history, Version(1))).toBeNull();
    history = record(history, Version(9), ["a", "b", "c", "d", "e"], 4);
    expect(history).toEqual({ since: 9, changes: [] });
  });
});
