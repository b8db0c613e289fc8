/** Actors of a type that is also the name of a map: whoever follows that map hears of its entries, and of no journal. */
import { expect, it } from "vitest";
import { NodeId, PartitionId, Seq } from "../../../src/data/ids.ts";
import { isOfMap, type Row } from "../../../src/data/row.ts";
import type { ClusterMessage } from "../../../src/protocol/cluster-messages.ts";
import { event, snapshot } from "../../protocol/actor-samples.ts";
import { ACTORS, call, saidTo } from "../actor/kit.ts";
import { A, B, C, Followed, keys } from "./followed.ts";

/** Their type is called like the map that everybody follows there. */
const IN_MAP = { type: "m", id: "k3" };

function worldWith(partitionCount: number): Followed {
  const world = new Followed({ partitionCount });
  const { list } = ACTORS;
  world.stage.actors = list ? { m: list } : {};
  return world;
}

/** What owners tell and answer, whether it is said to anybody or not. */
function spokenIn(world: Followed): ClusterMessage[] {
  const spoken: ClusterMessage[] = [];
  const { cut } = world.stage;
  world.stage.cut = (from, to, message) => {
    spoken.push(message);
    return cut(from, to, message);
  };
  return spoken;
}

const told = (spoken: readonly ClusterMessage[], type: "ROWS_CHANGED" | "FETCHED_ROWS") =>
  spoken.flatMap((message) => {
    if (message.type === "ROWS_CHANGED" && type === message.type)
      return message.parts.flatMap(({ rows }) => rows);
    if (message.type === "FETCHED_ROWS" && type === message.type)
      return message.pages.flatMap(({ rows }) => rows);
    return [];
  });

it("nobody is told of what an actor leaves behind", () => {
  const world = worldWith(4);
  const spoken = spokenIn(world);
  const reader = world.subscribe(B);
  world.put(keys(0, 10));
  world.live(200);
  const before = spoken.filter(({ type }) => type === "ROWS_CHANGED").length;
  expect(before).toBeGreaterThan(0);
  const answers = Array.from({ length: 30 }, (_, n) => call(world.stage, A, n, IN_MAP));
  world.live(500);
  expect(answers.map(saidTo).at(-1)).toHaveLength(30);
  expect(spoken.filter(({ type }) => type === "ROWS_CHANGED")).toHaveLength(before);
  world.put(keys(5, 15), Uint8Array.of(2));
  world.live(200);
  world.expectAll(reader, world.rows().filter(isOfMap));
  expect(reader.rows).toHaveLength(15);
  expect(told(spoken, "ROWS_CHANGED").every(isOfMap)).toBe(true);
});

it("nor of what somebody offers of it, beside what is told", () => {
  const world = worldWith(1);
  const spoken = spokenIn(world);
  const reader = world.subscribe(B);
  const partitionId = PartitionId(0);
  const { stage } = world;
  const to = world.ownerOf(0);
  const from = [A, B, C].find((id) => id !== to) ?? expect.fail();
  const { self, partitions } = stage.node(to).disk;
  const { ruling } = partitions.get(partitionId) ?? expect.fail();
  const offered: Row = { ...event, map: "m", key: "k3" };
  const entry: Row = {
    ...offered,
    kind: "lww",
    sub: "",
    stamp: { ...event.stamp, millis: stage.now },
  };
  const rows = [offered, entry, { ...snapshot, map: "m", key: "k3" }];
  const message = { type: "ROW_OFFER", partitionId, offerId: Seq(1), ruling, rows } as const;
  stage.receive(
    { cluster: stage.clusterId, from, to, message, call: null, term: self.term },
    () => {},
  );
  world.live(500);
  expect(world.rows()).toHaveLength(3);
  world.expectAll(reader, [entry]);
  expect(told(spoken, "ROWS_CHANGED")).toEqual([entry]);
});

it("who comes later reads past long journals, and has each entry once", () => {
  const world = worldWith(1);
  const spoken = spokenIn(world);
  // More than is read in one go.
  for (let n = 0; n < 2_300; n += 100) {
    for (let i = n; i < n + 100; i++) call(world.stage, A, "no", IN_MAP);
    world.live(100);
  }
  world.put(keys(0, 10));
  world.live(1_000);
  const all = world.rows();
  expect(all.filter((row) => !isOfMap(row)).length).toBeGreaterThanOrEqual(2_300);
  const readers = [
    world.subscribe(B),
    world.subscribe(C, { map: "m", prefix: "k3" }),
    world.subscribe(A, { map: "m", keys: ["k2", "k3", "k4"] }),
  ];
  const mine = all.filter(isOfMap);
  const [everything, prefixed, named] = readers;
  world.expectAll(everything ?? expect.fail(), mine);
  expect(prefixed?.rows.map(({ key }) => key)).toEqual(["k3"]);
  expect(named?.rows.map(({ key }) => key)).toEqual(["k2", "k3", "k4"]);
  expect(told(spoken, "FETCHED_ROWS").every(isOfMap)).toBe(true);
  expect(spoken.filter(({ type }) => type === "FETCHED_ROWS").length).toBeGreaterThanOrEqual(4);
});

it("who follows a key beside actors whose names begin with it is not held up", () => {
  const world = worldWith(1);
  for (let n = 0; n < 120; n++) call(world.stage, A, n, { type: "m", id: "k3" });
  for (let n = 0; n < 120; n++) call(world.stage, A, "no", { type: "m", id: "k30" });
  world.put(keys(0, 10));
  world.live(1_000);
  const reader = world.subscribe(B, { map: "m", keys: ["k3", "k5"] });
  expect(reader.rows.map(({ key }) => key)).toEqual(["k3", "k5"]);
});

it("who was away is brought up to date beside a journal, by position and by digest", () => {
  const world = worldWith(1);
  world.put(keys(0, 10));
  const reader = world.subscribe(B);
  world.leave(reader);
  for (let n = 0; n < 50; n++) call(world.stage, A, n, IN_MAP);
  world.live(500);
  world.put(keys(8, 12), Uint8Array.of(2));
  world.live(500);
  const before = reader.rowsTold;
  world.comeBack(reader, C);
  world.expectAll(reader, world.rows().filter(isOfMap));
  expect(reader.rowsTold - before).toBe(4);
  const owner = world.ownerOf(0);
  const next = [A, B, C].find((id) => id !== owner) ?? NodeId("none");
  world.leave(reader);
  world.stage.ask({ type: "MOVE_PARTITION", partitionId: PartitionId(0), to: next });
  world.live(3_000);
  expect(world.ownerOf(0)).toBe(next);
  for (let n = 0; n < 50; n++) call(world.stage, A, n, IN_MAP);
  world.put(["k1"], Uint8Array.of(3));
  world.live(500);
  world.comeBack(reader, B);
  world.expectAll(reader, world.rows().filter(isOfMap));
});
