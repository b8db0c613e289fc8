/** Partitions that change owners. */
import { expect, it } from "vitest";
import { partitionOf } from "../../../src/data/hash.ts";
import { PartitionId, type NodeId } from "../../../src/data/ids.ts";
import { A, B, C, Followed, keys } from "./followed.ts";

const ids = [0, 1, 2, 3, 4, 5].map(PartitionId);

it("whose client has not answered a question is asked no other: its credit is for a few frames", () => {
  const world = new Followed({ partitionCount: ids.length });
  world.put(keys(0, 60));
  world.live(200);
  const reader = world.subscribe(A);
  const wanted = (): readonly (readonly PartitionId[])[] =>
    world.told.flatMap((said) =>
      said.type === "WANT_DIGESTS" ? [said.partitionIds.toSorted((a, b) => a - b)] : [],
    );
  for (const partitionId of ids) {
    const to = [A, B, C].find((id) => id !== world.ownerOf(partitionId)) ?? A;
    world.stage.ask({ type: "MOVE_PARTITION", partitionId, to });
    // It is asked, and its answer is on its way.
    world.stage.live(3_000);
    expect(world.ownerOf(partitionId)).toBe(to);
  }
  expect(wanted()).toEqual([[ids[0]]]);
  world.put(keys(30, 90), Uint8Array.of(2));
  world.live(1_000);
  expect(wanted()).toEqual([[ids[0]], ids.slice(1)]);
  world.expectAll(reader);
});

it("are asked for together where one node takes many over", () => {
  const world = new Followed({ partitionCount: 40, suspicionTimeoutMs: 1_000 });
  world.put(keys(0, 200));
  world.live(2_000);
  const reader = world.subscribe(A);
  const owned = (): number =>
    Array.from({ length: 40 }, (_, id) => world.ownerOf(id)).filter((owner) => owner === C).length;
  expect(owned()).toBeGreaterThan(10);
  world.stage.cut = (from, to) => from === C || to === C;
  world.stage.delivered.clear();
  for (let i = 0; i < 50 && owned() > 0; i++) {
    world.put(keys(0, 200), Uint8Array.of(2, i));
    world.live(300);
  }
  expect(owned()).toBe(0);
  world.live(3_000);
  expect(world.stage.delivered.get("INTEREST")).toBeLessThan(10);
  world.expectAll(reader);
});

it("are asked anew where another is heard of while what they had is read", () => {
  const world = new Followed({ suspicionTimeoutMs: 1_000 });
  const { entries } = world.stage.coordinator.disk;
  // Writes come in at the next owner.
  const next = [...entries.values()].find(({ ruling }) => ruling.copies[0]?.nodeId === A);
  const { partitionId, owner: last } = next?.ruling ?? expect.fail("it holds no copy");
  const third = [B, C].find((id) => id !== last) ?? C;
  const { partitionCount } = world.stage.config;
  const query = {
    map: "m",
    keys: keys(0, 100).filter((key) => partitionOf(key, partitionCount) === partitionId),
  };
  world.put(query.keys, new Uint8Array(60_000));
  world.live(1_000);
  const reader = world.subscribe(A, query);
  world.subscribe(third, query);
  world.stage.cut = (from, to) =>
    (from === last && to !== third) ||
    (to === last && from !== third) ||
    (to === third && from !== last);
  for (let i = 0; i < 100 && world.ownerOf(partitionId) !== A; i++) world.live(300);
  world.put(query.keys, new Uint8Array(60_001));
  world.live(1_000);
  expect(reader.rows.every(({ value }) => value?.length === 60_001)).toBe(true);
  expect(world.ownerOf(partitionId)).toBe(A);
  // There nobody has heard of that owner.
  world.leave(reader);
  world.goTo(reader, third);
  const isOld = (): boolean => reader.rows.some(({ value }) => value?.length === 60_000);
  const { cut } = world.stage;
  // After the first page it hears of the other.
  world.stage.cut = (from, to, message) =>
    isOld() ? message.type === "FETCHED_ROWS" : cut(from, to, message);
  world.live(2_000);
  expect(isOld()).toBe(true);
  world.stage.cut = () => false;
  world.live(40_000);
  world.expectAll(
    reader,
    world.rows().filter(({ key }) => query.keys.includes(key)),
  );
});

it.each([
  ["written", Uint8Array.of(3)],
  ["deleted", null],
])(
  "are not told of with what waits since the owner was owner before: %s [sim seed 1114691]",
  (_, newest) => {
    const world = new Followed({ partitionCount: 1 });
    const first = world.ownerOf(0);
    const [second = B, at = C] = [A, B, C].filter((id) => id !== first);
    const reader = world.subscribe(at);
    const move = (to: NodeId): void => {
      world.stage.ask({ type: "MOVE_PARTITION", partitionId: PartitionId(0), to });
      world.live(1_000);
      expect(world.ownerOf(0)).toBe(to);
    };
    // What it is told is under way for long, and what changes meanwhile waits.
    const late = world.hold(({ type }, from) => from === first && type === "ROWS_CHANGED");
    world.put(["k1"]);
    world.live(20_000);
    world.put(["k0"], Uint8Array.of(2));
    world.live(20);
    const told = late.length;
    move(second);
    world.put(["k0"], newest);
    world.live(20);
    move(first);
    world.live(1_000);
    world.expectAll(reader);
    world.put(["k2"]);
    world.live(20);
    expect(late).toHaveLength(told);
    world.stage.cut = () => false;
    world.live(20_000);
    world.expectAll(reader);
  },
);
