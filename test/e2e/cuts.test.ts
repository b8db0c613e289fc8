/** A move, and clients, while messages are lost, late or cut off, and while a part of it stands still. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULTS } from "../../src/core/config.ts";
import { NodeId } from "../../src/data/ids.ts";
import { PARTS, wayTo } from "./phases.ts";
import { PARTITION, Shuttle } from "./shuttle.ts";
import { underLoad } from "./under-load.ts";
import { pause } from "./writer.ts";

const STANDS_STILL_MS = 1_200;

let shuttle: Shuttle;

beforeAll(async () => {
  shuttle = await Shuttle.start(true);
}, 60_000);
afterAll(() => shuttle.grid.stop());

describe("a move goes on to its end", () => {
  const cells = PARTS.flatMap((part) => [
    [part, "closing"] as const,
    [part, "finalizing"] as const,
  ]);

  it.each(cells)(
    "when its %s was paused at %s, and comes back with an old view of time",
    async (victim, phase) => {
      let held = 0;
      const goingOn: Promise<void>[] = [];
      const goOnLater = async (who: string): Promise<void> => {
        await pause(STANDS_STILL_MS);
        held += (await shuttle.grid.order(who)).met.held;
      };
      await shuttle.move(wayTo(phase, victim), async (names) => {
        await shuttle.grid.order(names[victim], { paused: true });
        goingOn.push(goOnLater(names[victim]));
        return shuttle.saved().phase === phase;
      });
      await Promise.all(goingOn);
      expect(held, "messages and timers that came late").toBeGreaterThan(0);
    },
  );

  it("with a target cut off at closing: it is struck by a ruling, and the writes that waited are acknowledged", async () => {
    const { grid } = shuttle;
    const { names, writer, release } = await shuttle.reach(wayTo("closing", "target"));
    const { source, target } = names;
    const cut = { peer: NodeId(source), direction: "out", what: "cut" } as const;
    await grid.order(target, { faults: [cut] }).finally(release);
    const [acks, since] = [writer.acks, Date.now()];
    await pause(DEFAULTS.maxNoHeartbeatMs / 2);
    expect(writer.acks - acks, "while nobody knows what the target has").toBeLessThan(10);
    await writer.hears(20);
    expect(Date.now() - since).toBeGreaterThan(DEFAULTS.maxNoHeartbeatMs * 0.8);
    expect(await grid.ownerOf(PARTITION)).toBe(source);
    expect((await grid.order(target)).met.cut).toBeGreaterThan(0);
    await grid.api.settled(grid.nodes);
    await writer.stop();
    expect(writer).toMatchObject({ refused: [], unanswered: 0 });
    const stored = await grid.readElsewhere("load");
    for (const [key, n] of writer.acked) expect(stored.get(key), key).toBe(n);
  });
});

describe("a network that loses every tenth message and delays every third", () => {
  it("costs time and nothing else, while a node joins", async () => {
    const { grid } = shuttle;
    const faults = [
      { peer: "*", what: "drop", chance: 0.1 },
      { peer: "*", what: "delay", chance: 0.33, ms: 30 },
    ] as const;
    const betweenObjects = ["coordinator", ...grid.nodes].flatMap((who) =>
      ["coordinator", ...grid.nodes]
        .filter((peer) => peer !== who)
        .map((peer) => [who, peer] as const),
    );
    const orders = Map.groupBy(betweenObjects, ([who]) => who);
    const outcome = await underLoad(grid.api.base, grid.nodes, async () => {
      for (const [who, pairs] of orders) {
        const met = pairs.flatMap(([, peer]) =>
          faults.map((fault) => ({ ...fault, peer: NodeId(peer) })),
        );
        await grid.order(who, { faults: met });
      }
      await grid.api.json("POST", "/v1/cluster/nodes", { count: 1 });
      await pause(3_000);
      for (const who of orders.keys()) {
        const { met } = await grid.order(who);
        expect(Math.min(met.drop, met.delay), who).toBeGreaterThan(3);
      }
      await grid.api.settled([...grid.nodes, "n4"]);
    });
    expect(outcome, outcome.examples.join()).toMatchObject({
      refused: [],
      unanswered: 0,
      lost: 0,
      resurrected: 0,
      unread: 0,
    });
    expect(outcome.acked).toBeGreaterThan(500);
  });

  it("and all that was there before is still there", () => shuttle.checkBallast());
});
