import { describe, expect, it } from "vitest";
import { NodeId, PartitionId, Seq } from "../../../src/data/ids.ts";
import type { ClusterMessage } from "../../../src/protocol/cluster-messages.ts";
import { A, B, C, Followed, keys } from "./followed.ts";

describe("a subscriber", () => {
  it("is told all there is, over all partitions, and then of every change", () => {
    const world = new Followed();
    world.put(keys(0, 40));
    world.live(200);
    const reader = world.subscribe(B);
    expect(reader.rows).toHaveLength(40);
    expect(reader.positions.size).toBe(4);
    world.expectAll(reader);
    world.put(keys(30, 50), Uint8Array.of(2));
    world.put(["k0", "k1"], null);
    world.live(200);
    expect(reader.rows).toHaveLength(48);
    world.expectAll(reader);
  });

  it("is told of one map in chunks, however long", () => {
    const world = new Followed({ partitionCount: 1 });
    for (let from = 0; from < 5_000; from += 500) world.put(keys(from, from + 500));
    world.live(1_000);
    const reader = world.subscribe(B);
    expect(reader.partsTold).toBeGreaterThan(2);
    world.expectAll(reader);
  });

  it("is told what it has written itself like anybody else, once", () => {
    const world = new Followed();
    const reader = world.subscribe(B, { map: "m" }, "me");
    world.put(keys(0, 10), Uint8Array.of(1), "me");
    world.live(200);
    expect(reader.rowsTold).toBe(10);
    world.expectAll(reader);
  });

  it("follows a partition that moves while it is written", () => {
    const world = new Followed();
    world.put(keys(0, 40));
    world.live(200);
    const reader = world.subscribe(C);
    const from = world.ownerOf(0);
    const to = [A, B, C].find((id) => id !== from) ?? A;
    world.stage.ask({ type: "MOVE_PARTITION", partitionId: PartitionId(0), to });
    for (let i = 0; i < 100; i++) {
      world.put(keys(i, i + 5), Uint8Array.of(i));
      world.live(50);
    }
    expect(world.ownerOf(0)).toBe(to);
    world.live(1_000);
    world.expectAll(reader);
  });

  it("that comes back names its positions, and is told only what has changed since", () => {
    const world = new Followed();
    world.put(keys(0, 1_000));
    world.live(200);
    const reader = world.subscribe(B);
    world.leave(reader);
    world.put(keys(0, 10), Uint8Array.of(2));
    world.put(["k999"], null);
    world.live(200);
    const before = reader.rowsTold;
    world.comeBack(reader, C);
    expect(reader.rowsTold - before).toBe(11);
    world.expectAll(reader);
  });

  it("that comes back and lacks nothing is told so, and so is one about no keys at all", () => {
    const world = new Followed();
    world.put(keys(0, 20));
    world.live(200);
    const reader = world.subscribe(B);
    for (const at of [C, B]) {
      world.leave(reader);
      const before = reader.rowsTold;
      world.comeBack(reader, at);
      expect(reader.rowsTold).toBe(before);
    }
    expect(world.subscribe(A, { map: "m", keys: [] }).rows).toEqual([]);
  });

  it("that comes back to another owner says what it has, and is told what differs", () => {
    const world = new Followed();
    world.put(keys(0, 1_000));
    world.live(200);
    const reader = world.subscribe(B);
    world.leave(reader);
    const [from] = [world.ownerOf(0)];
    const to = [A, B, C].find((id) => id !== from) ?? A;
    world.stage.ask({ type: "MOVE_PARTITION", partitionId: PartitionId(0), to });
    world.live(3_000);
    expect(world.ownerOf(0)).toBe(to);
    world.put(keys(0, 10), Uint8Array.of(2));
    world.put(["k999"], null);
    world.live(200);
    const before = reader.rowsTold;
    world.comeBack(reader, C);
    expect(reader.rowsTold - before).toBeLessThan(60);
    world.expectAll(reader);
  });
});

it("that was away while a deletion was forgotten has not got it back", () => {
  const world = new Followed({
    partitionCount: 1,
    tombstoneRetentionMs: 2_000,
    forwardTimeoutMs: 6_000,
    idleAfterMs: 2_000,
  });
  world.put(keys(0, 30));
  world.live(200);
  const reader = world.subscribe(B);
  world.leave(reader);
  world.put(["k0"], null);
  for (let i = 0; i < 400 && tombstones(world) > 0; i++) {
    world.put(["k1"], Uint8Array.of(i));
    world.live(100);
  }
  expect(tombstones(world)).toBe(0);
  world.comeBack(reader, C);
  world.expectAll(reader);
});

const tombstones = (world: Followed): number =>
  (world.stage.node(world.ownerOf(0)).rows.tables[0] ?? []).filter(({ row }) => row.value === null)
    .length;

describe("who reads in several pages", () => {
  it.each([
    ["written", Uint8Array.of(3)],
    ["deleted", null],
  ])("is not told then what is older than a page: %s [sim seed 1033276]", (_, newest) => {
    const world = new Followed({ partitionCount: 1 });
    for (let from = 0; from < 3_000; from += 500) world.put(keys(from, from + 500));
    world.live(1_000);
    const late = world.hold(({ type }) => type === "ROWS_CHANGED" || type === "FETCHED_ROWS");
    const reader = world.subscribeSlowly(C);
    world.live(20);
    expect(late.map(({ message }) => message.type)).toEqual(["FETCHED_ROWS"]);
    // Behind the first page, which is on its way.
    world.put(["k999"], Uint8Array.of(2));
    world.live(20);
    world.put(["k999"], newest);
    world.live(20);
    expect(late.map(({ message }) => message.type)).toEqual(["FETCHED_ROWS", "ROWS_CHANGED"]);
    world.stage.cut = () => false;
    world.stage.letters.push(...late.slice(0, 1));
    world.live(50);
    world.stage.letters.push(...late.slice(1));
    world.live(10);
    world.expectAll(reader);
    world.live(5_000);
    expect(reader.synced).toBe(true);
    world.expectAll(reader);
  });
});

describe("what is lost on its way", () => {
  it("shows as a gap, and is read", () => {
    const world = new Followed();
    const reader = world.subscribe(C);
    world.stage.cut = (_, to, { type }) => type === "ROWS_CHANGED" && to === C;
    world.put(keys(0, 20));
    world.live(200);
    expect(reader.rows).toHaveLength(0);
    world.stage.cut = () => false;
    world.live(3_000);
    world.expectAll(reader);
  });

  it.each(["FETCHED_ROWS", "FETCH_ROWS", "INTEREST", "INTERESTED", "ROWS_HEARD"])(
    "%s is asked for again",
    (lost) => {
      const world = new Followed();
      world.put(keys(0, 20));
      world.live(200);
      let left = 3;
      world.stage.cut = (_from, _to, { type }) => type === lost && left-- > 0;
      const reader = world.subscribeSlowly(C);
      world.put(keys(10, 30), Uint8Array.of(2));
      world.live(40_000);
      expect(reader.synced).toBe(true);
      world.expectAll(reader);
    },
  );

  it("with the memory of the owner: it asks who listened, and they say where they are", () => {
    const world = new Followed({ partitionCount: 1 });
    const reader = world.subscribe(C);
    const owner = world.ownerOf(0);
    world.stage.node(owner).crash();
    world.put(keys(0, 20));
    world.live(2_000);
    world.expectAll(reader);
  });

  it("with a ruling: who asks an owner for what it does not own is told of the rest all the same [sim seed 1300041]", () => {
    const world = new Followed();
    const reader = world.subscribe(C);
    const owner = world.ownerOf(0);
    const partitionIds = [0, 1, 2, 3].map(PartitionId).filter((id) => world.ownerOf(id) !== owner);
    const message = { type: "INTEREST", n: Seq(0), map: "m", partitionIds } as const;
    const { clusterId: cluster, letters } = world.stage;
    const { term } = world.stage.node(C).disk.self;
    letters.push({ cluster, from: C, to: owner, message, call: null, term });
    world.live(100);
    world.put(keys(0, 20));
    world.live(2_000);
    world.expectAll(reader);
  });

  it("not so an interest, by a word from before it: that nobody listens there [sim seed 1000156]", () => {
    const world = new Followed({ partitionCount: 1 });
    const owner = world.ownerOf(0);
    world.leave(world.subscribe(C, { map: "m" }, "gone"));
    world.stage.lose(C, "gone");
    const late: ClusterMessage[] = [];
    world.stage.cut = (from, _, message) =>
      message.type === "ROWS_HEARD" && from === C && late.push(message) > 0;
    world.put(keys(0, 1));
    world.live(20);
    const reader = world.subscribeSlowly(C);
    world.live(20);
    world.stage.cut = () => false;
    const [message] = late;
    if (message?.type !== "ROWS_HEARD") expect.fail("it was not told");
    expect(message.listens).toBe(false);
    const { clusterId: cluster, letters } = world.stage;
    const { term } = world.stage.node(C).disk.self;
    letters.push({ cluster, from: C, to: owner, message, call: null, term });
    world.live(1_000);
    world.put(keys(0, 20), Uint8Array.of(2));
    world.live(2_000);
    world.expectAll(reader);
  });

  it("nor one of a node that the owner has not heard of yet", () => {
    const world = new Followed({ partitionCount: 1 });
    const [owner, added] = [world.ownerOf(0), NodeId("n4")];
    const { stage } = world;
    stage.cut = (_, to, { type }) => type === "MEMBERS_UPDATE" && to === owner;
    stage.ask({ type: "ADD_NODES", count: 1, region: "", weight: 1 });
    world.live(1_000);
    const reader = world.subscribeSlowly(added);
    world.live(1_000);
    stage.cut = (_, to, { type }) =>
      (type === "MEMBERS_UPDATE" && to === owner) || type === "ROWS_CHANGED";
    world.put(keys(0, 10));
    world.live(3_000);
    expect(stage.node(owner).disk.view.members.some(({ nodeId }) => nodeId === added)).toBe(false);
    stage.cut = () => false;
    world.live(5_000);
    world.put(keys(5, 20), Uint8Array.of(2));
    world.live(5_000);
    expect(world.ownerOf(0)).toBe(owner);
    world.expectAll(reader);
  });

  it("not so a question, by an answer to one from before the owner lost its memory [sim seed 1030305]", () => {
    const world = new Followed({ partitionCount: 1 });
    const owner = world.ownerOf(0);
    const late = world.hold(({ type }) => type === "INTERESTED");
    const reader = world.subscribeSlowly(C);
    world.live(20);
    world.stage.cut = () => false;
    world.live(5_000);
    expect(reader.synced).toBe(true);
    world.stage.node(owner).crash();
    world.stage.cut = (_from, _to, { type }) => type === "INTEREST";
    world.put(keys(0, 10));
    world.live(20);
    expect(world.stage.delivered.get("ROWS_CHANGED")).toBe(1);
    world.stage.cut = () => false;
    world.stage.letters.push(...late);
    world.live(5_000);
    world.put(keys(5, 20), Uint8Array.of(2));
    world.live(1_000);
    world.expectAll(reader);
  });

  it("an answer that a change has overtaken is one all the same", () => {
    const world = new Followed({ partitionCount: 1 });
    const late = world.hold(({ type }) => type === "INTERESTED");
    const reader = world.subscribeSlowly(C);
    world.live(20);
    world.put(keys(0, 10));
    world.live(20);
    world.stage.letters.push(...late);
    world.live(100);
    expect(reader.synced).toBe(true);
    world.expectAll(reader);
  });

  it("with the memory of the node that has the socket: its client is asked where it is", () => {
    const world = new Followed();
    world.put(keys(0, 20));
    world.live(200);
    const reader = world.subscribe(C);
    world.stage.hasClients = true;
    world.stage.node(C).crash();
    world.put(keys(10, 30), Uint8Array.of(2));
    world.live(2_000);
    expect(reader.synced).toBe(true);
    world.expectAll(reader);
  });

  it("with the socket: its node forgets it, and the owners their interest with the next change", () => {
    const world = new Followed();
    const reader = world.subscribe(C, { map: "m" }, "s");
    world.leave(reader);
    world.stage.lose(C, "s");
    world.put(keys(0, 20));
    world.live(1_000);
    world.stage.delivered.clear();
    world.put(keys(0, 20), Uint8Array.of(2));
    world.live(1_000);
    expect(world.stage.delivered.get("ROWS_CHANGED")).toBeUndefined();
    for (const id of [A, B, C]) expect(world.stage.node(id).disk.self.listeners).toEqual([]);
  });
});

it("a cluster with subscribers at rest wakes nobody", () => {
  const world = new Followed();
  world.put(keys(0, 20));
  world.live(200);
  world.subscribe(C);
  world.stage.live(600_000);
  world.stage.lines.splice(0);
  world.stage.live(3_600_000);
  expect(world.stage.lines.filter((line) => line.includes(" wakes at "))).toEqual([]);
});
