/** Copies that their owner does not hear, while it and they are heard by the coordinator. */
import { describe, expect, it } from "vitest";
import { FAST } from "../../src/core/config.ts";
import type { NodeId } from "../../src/data/ids.ts";
import type { Sender } from "../../src/protocol/cluster-messages.ts";
import type { Stage } from "../scripts/stage.ts";
import { A, B, C, P, cluster, entryOf, ownerOf, put, silence, valueAt, work } from "./trio.ts";

/** These two do not hear each other. */
function part(stage: Stage, one: NodeId, other: NodeId): void {
  stage.cut = (from, to) => (from === one && to === other) || (from === other && to === one);
}

const moveAt = (stage: Stage, id: NodeId) => {
  const role = stage.node(id).disk.partitions.get(P)?.role;
  return role?.type === "owner" ? role.move : null;
};

/** A owns it, B backs it up, and a move to C closes. */
function closing(): Stage {
  const stage = cluster({ backupCount: 1 });
  put(stage, A, "k", 1);
  work(stage, 500);
  expect(entryOf(stage)?.ruling.copies).toEqual([{ nodeId: B, state: "complete" }]);
  stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: C });
  return stage;
}

const SOON_MS = FAST.maxNoHeartbeatMs + 2 * FAST.retryMsMax;

describe("a move that closes, while nobody writes,", () => {
  it("goes on without a backup that its owner does not hear [I8]", () => {
    const stage = closing();
    part(stage, A, B);
    work(stage, FAST.maxNoHeartbeatMs / 2);
    expect(moveAt(stage, A)?.phase).toBe("closing");
    work(stage, SOON_MS);
    expect(ownerOf(stage)).toBe(C);
    silence(stage, []);
    work(stage, 10_000);
    expect(entryOf(stage)).toMatchObject({ move: null, ruling: { owner: C } });
    expect(entryOf(stage)?.ruling.copies).toHaveLength(1);
    expect(valueAt(stage, C, "k")).toBe(1);
  });

  it("is given up with a target that its owner does not hear, and begun again [I8]", () => {
    const stage = closing();
    const isPart = (id: Sender): boolean => id === A || id === C;
    stage.cut = (from, to) => isPart(from) && isPart(to) && moveAt(stage, A)?.phase === "closing";
    work(stage, SOON_MS);
    expect(stage.coordinator.disk.finished.get(0)).toMatchObject({ outcome: "failed", target: C });
    silence(stage, []);
    work(stage, 30_000);
    expect(entryOf(stage)).toMatchObject({ move: null, ruling: { owner: C } });
  });
});
