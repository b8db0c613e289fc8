/** Clocks that differ by as much as they may. There are no leases yet: those of actors come with actors. */
import { describe, expect, it } from "vitest";
import { FAST } from "../../src/core/config.ts";
import { completeAt } from "../../src/core/coordinator/wanted.ts";
import { NodeId, PartitionId, Seq } from "../../src/data/ids.ts";
import type { Sender } from "../../src/protocol/cluster-messages.ts";
import { Stage } from "../scripts/stage.ts";

const P = PartitionId(0);
const [A, B, C] = [NodeId("n1"), NodeId("n2"), NodeId("n3")];
const { maxClockSkewMs: MAX, maxNoHeartbeatMs, probeTimeoutMs, suspicionTimeoutMs } = FAST;
const KEY = { map: "m", key: "k" } as const;

/** Whose clocks are ahead, and behind, of all others. */
const SKEWS: readonly (readonly [string, readonly Sender[], number])[] = [
  ["the coordinator fast", ["coordinator"], MAX],
  ["the coordinator slow", ["coordinator"], -MAX],
  ["the lost owner fast", [A], MAX],
  ["the lost owner slow", [A], -MAX],
  ["the coordinator and its heirs fast", ["coordinator", B, C], MAX],
  ["the coordinator and its heirs slow", ["coordinator", B, C], -MAX],
];

function cluster(who: readonly Sender[], ms: number): Stage {
  const stage = new Stage({ ...FAST, backupCount: 1, initialNodes: 3, partitionCount: 1 });
  for (const id of who) stage.clocks.set(id, ms);
  stage.now = 10_000;
  stage.ask({ type: "FETCH_PARTITION_TABLE" });
  stage.live(2_000);
  return stage;
}

const completeIn = (stage: Stage): readonly NodeId[] => {
  const entry = stage.coordinator.disk.entries.get(P);
  return entry ? completeAt(entry) : [];
};

function work(stage: Stage, ms: number, at: readonly NodeId[]): void {
  for (const end = stage.now + ms; stage.now < end; stage.live(50))
    for (const id of at) stage.client(id, { type: "GET", seq: 0, keys: [KEY] });
}

let forwardId = 0;
/** As over HTTP: stamped by the owner. */
function put(stage: Stage, at: NodeId, value: number): void {
  const op = { type: "write", ...KEY, stamp: null, value: Uint8Array.of(value) } as const;
  const head = { type: "OP_FORWARD", sourceNodeId: "front", forwardId: Seq(++forwardId) } as const;
  stage.ask({ ...head, rulings: [], ops: [{ ...op, expiresAt: null }] }, at);
  stage.live(100);
}

const valueAt = (stage: Stage, id: NodeId): number | undefined =>
  stage.node(id).rows.read(P, [{ ...KEY, kind: "lww", sub: "" }])[0]?.row.value?.[0];

describe("clock slow or fast by the allowed skew", () => {
  it.each(SKEWS)("%s: nobody who is there is suspected, however long", (_, who, ms) => {
    const stage = cluster(who, ms);
    work(stage, 4 * (maxNoHeartbeatMs + suspicionTimeoutMs), [A, B, C]);
    const { members } = stage.coordinator.disk.view;
    expect(members.map(({ state }) => state)).toEqual(["active", "active", "active"]);
    expect(stage.delivered.get("PROBE") ?? 0).toBe(0);
  });

  it.each(SKEWS)(
    "%s: promotion comes neither sooner nor later, and later writes stand",
    (_, who, ms) => {
      const stage = cluster(who, ms);
      expect(completeIn(stage)[0]).toBe(A);
      put(stage, A, 1);
      work(stage, 1_000, [A, B, C]);
      const [, heir = A] = completeIn(stage);
      expect(valueAt(stage, heir)).toBe(1);
      const since = stage.now;
      stage.cut = (from, to) => [from, to].includes(A) && from !== "front" && to !== "front";
      while (completeIn(stage)[0] === A && stage.now < since + 10_000) work(stage, 50, [B, C]);
      expect(completeIn(stage)[0]).toBe(heir);
      const took = stage.now - since;
      expect(took, "not before it has been silent and suspect").toBeGreaterThan(suspicionTimeoutMs);
      const soonest = maxNoHeartbeatMs + probeTimeoutMs + suspicionTimeoutMs;
      expect(took, "and soon after").toBeLessThan(soonest + 2 * MAX + 500);
      // Whose clock is behind that of the lost one stamps above what it has of it.
      put(stage, heir, 2);
      expect(valueAt(stage, heir)).toBe(2);
      stage.cut = () => false;
      work(stage, 5_000, [A, B, C]);
      for (const id of completeIn(stage)) expect(valueAt(stage, id)).toBe(2);
    },
  );
});
