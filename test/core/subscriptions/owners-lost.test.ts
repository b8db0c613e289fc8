/** Many partitions that change owners. */
import { expect, it } from "vitest";
import { PartitionId } from "../../../src/data/ids.ts";
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
