/** What a node follows for its sockets is bounded, and whoever asks for more is told the bound. */
import { expect, it } from "vitest";
import { PartitionId, Seq } from "../../../src/data/ids.ts";
import type { ClientMessage, ServerMessage } from "../../../src/protocol/client-messages.ts";
import { NODE_FOLLOWED_MAX } from "../../../src/protocol/limits.ts";
import { B, Followed } from "./followed.ts";

const PARTITIONS = 4;

/** A node that follows another map in so many partitions. */
function following(partitions: number): Followed {
  const world = new Followed({ partitionCount: PARTITIONS });
  world.subscribe(B, { map: "m" }, "first");
  const host = world.stage.node(B);
  const state = host.state ?? expect.fail("it sleeps");
  const { subscriptions } = state.memory;
  const feed = subscriptions.feeds.get("m") ?? expect.fail("it follows nothing");
  const open = new Map(
    Array.from({ length: partitions }, (_, id) => [PartitionId(id), Seq(0)] as const),
  );
  const many = { ...feed, open, parts: new Map(), retry: null };
  const feeds = new Map(subscriptions.feeds).set("many", many);
  host.later({ ...state, memory: { ...state.memory, subscriptions: { ...subscriptions, feeds } } });
  return world;
}

const follow = (map: string): ClientMessage => ({
  type: "SUBSCRIBE",
  seq: 7,
  id: 1,
  map,
  positions: [],
});

function answersTo(world: Followed, message: ClientMessage): readonly ServerMessage[] {
  world.stage.answers.splice(0);
  world.stage.client(B, message, "second");
  return world.stage.answers.filter(({ type }) => type === "ERROR");
}

it("a node follows as many partitions of maps as it may, and refuses one map more by name", () => {
  const [max, value] = [NODE_FOLLOWED_MAX, NODE_FOLLOWED_MAX + 1];
  // That of the first subscription counts, too.
  const rest = max - 2 * PARTITIONS;
  expect(answersTo(following(rest), follow("other"))).toEqual([]);
  const full = following(rest + 1);
  expect(answersTo(full, follow("other"))).toMatchObject([
    {
      seq: 7,
      error: { code: "OVERLOADED", data: { field: "partitions of maps", value, max } },
    },
  ]);
  // One that is followed already costs nothing more.
  expect(answersTo(full, follow("m"))).toEqual([]);
});
