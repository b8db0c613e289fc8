/**
 * Everything that can lose its memory in a move that is written to, at every phase that is on disk.
 *
 * Evicted: as an object is that has nothing under way, not even its next heartbeat; its sockets stay. Aborted: in the middle of what
 * it does, by a disk that takes no writes; its sockets are closed. Killed: all of them, with the process.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Client, opOf } from "./client.ts";
import { keysIn } from "./partition-writer.ts";
import { keeperOf, PARTS, PHASES, wayTo, type Part } from "./phases.ts";
import { PARTITION, PARTITIONS, Shuttle, type Names } from "./shuttle.ts";
import { pause } from "./writer.ts";

const RESET_MS_MAX = 5_000;

let shuttle: Shuttle;

beforeAll(async () => {
  shuttle = await Shuttle.start(true);
}, 60_000);
afterAll(() => shuttle.grid.stop());

const cells = PHASES.flatMap((phase) => PARTS.map((victim) => [victim, phase] as const));

describe("a move goes on to its end", () => {
  it.each(cells)("with its %s evicted at %s", async (victim, phase) => {
    const way = wayTo(phase, victim);
    const spared = way.stops.every(([, held]) => held !== victim);
    const writerAt = spared && victim === "target" ? victim : "source";
    const evicted = async (names: Names): Promise<boolean> => {
      await pause(50); // what is under way ends, or fails
      const before = shuttle.saved();
      await evict(names[victim]);
      return before.phase === phase && shuttle.saved().phase === phase;
    };
    const writer = await shuttle.move(way, evicted, writerAt);
    if (spared && victim === writerAt)
      expect(writer, "the same socket and session").toMatchObject({ greetings: 1, lost: 0 });
  });

  it.each(cells)("with its %s aborted at %s", async (victim, phase) => {
    await shuttle.move(wayTo(phase), async (names) => {
      const release = keeperOf(phase) === victim ? () => {} : shuttle.grid.disk.hold(names[victim]);
      try {
        const before = shuttle.saved();
        await reset(victim, names);
        return before.phase === phase && shuttle.saved().phase === phase;
      } finally {
        release();
      }
    });
  });

  it.each(PHASES)("with everything killed at %s", async (phase) => {
    const writer = await shuttle.move(wayTo(phase), async () => {
      shuttle.grid.kill();
      return shuttle.saved().phase === phase;
    });
    expect(writer.lost, "sockets of the process that died").toBeGreaterThan(0);
  });

  it("and all that was there before is still there", () => shuttle.checkBallast());
});

/** One that has just been reset is called back first. */
async function evict(who: string): Promise<void> {
  for (const began = Date.now(); ; await pause(1)) {
    await shuttle.grid.order(who, { timeless: true });
    if (await shuttle.grid.evict(who)) return;
    if (Date.now() - began > RESET_MS_MAX) throw new Error(`${who} is never in memory`);
    if (who === "coordinator") await shuttle.grid.api.cluster();
    else (await Client.open(shuttle.grid.api.base, `?node=${who}`)).socket.close();
  }
}

/** Makes it write, to a disk that takes nothing, and returns when that has cost it its memory. */
async function reset(victim: Part, names: Names): Promise<void> {
  if (victim !== "coordinator") return resetNode(names[victim]);
  const { status } = await shuttle.grid.api.json("POST", "/v1/cluster/nodes", { count: 1 });
  expect(status, "an order that it cannot save").toBe(500);
}

async function resetNode(node: string): Promise<void> {
  const { base } = shuttle.grid.api;
  const partition = (await shuttle.grid.ownedBy(node)).find((id) => id !== PARTITION) ?? 0;
  const [key = ""] = keysIn(partition, PARTITIONS, { prefix: "r", count: 1 });
  for (const began = Date.now(); Date.now() - began < RESET_MS_MAX; await pause(5)) {
    const witness = await Client.open(base, `?node=${node}`).catch(() => null);
    if (!witness) continue; // reset before it could answer
    const greeted = await witness.hello(false, "witness").catch(() => null);
    if (!greeted) return; // its socket is closed
    witness.send({ type: "OPS", seq: 0, ops: [opOf(key, new Uint8Array([1]), "witness")] });
    const answer = await witness.next("ACK").catch(() => null);
    expect(answer, "what it cannot save").toBeNull();
    if (witness.closed !== null) return;
  }
  throw new Error(`${node} is not reset`);
}
