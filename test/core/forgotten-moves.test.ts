/** A coordinator that was restored from an earlier copy, and does not know what it had begun since. */
import { describe, expect, it } from "vitest";
import type { ClusterMessage } from "../../src/protocol/cluster-messages.ts";
import type { Stage } from "../scripts/stage.ts";
import {
  A,
  B,
  C,
  P,
  cluster,
  entryOf,
  evict,
  isAcked,
  ownerOf,
  put,
  restore,
  silence,
  stateOf,
  wakesPerHour,
  work,
} from "./trio.ts";

const roleAt = (stage: Stage, id: typeof A) => stage.node(id).disk.partitions.get(P)?.role;

/** A move to C is begun, gets no further than what is lost, and is forgotten. No epoch says that it ever was. */
function forgotten(lost: ClusterMessage["type"]): Stage {
  const stage = cluster({ backupCount: 1 });
  put(stage, A, "k", 1);
  work(stage, 500);
  const copy = stage.coordinator.disk;
  silence(stage, [], lost);
  stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: C });
  work(stage, 500);
  expect(entryOf(stage)?.move).toMatchObject({ target: C, phase: "replicating" });
  restore(stage, copy);
  return stage;
}

/** As if it had never begun. */
function nothingIsLeft(stage: Stage): void {
  expect(ownerOf(stage)).toBe(A);
  expect(entryOf(stage)).toMatchObject({ move: null });
  const { copies = [] } = entryOf(stage)?.ruling ?? {};
  expect(copies.map(({ state }) => state)).toEqual(["complete"]);
  const names = copies.map(({ nodeId }) => nodeId);
  expect(names).not.toContain(C);
  expect(entryOf(stage)?.holders.toSorted()).toEqual([A, ...names].toSorted());
  expect(roleAt(stage, A)).toMatchObject({ move: null, copies: [{ state: "complete" }] });
  expect([roleAt(stage, C)?.type, stage.node(C).rows.count(P)]).toEqual(["none", 0]);
}

describe("a move that its coordinator has forgotten", () => {
  it("leaves nothing when its copy asks to be complete [I7, I8]", () => {
    const stage = forgotten("COMPLETE");
    expect(roleAt(stage, A)).toMatchObject({ copies: [{}, { nodeId: C, state: "counts" }] });
    silence(stage, []);
    work(stage, 20_000);
    nothingIsLeft(stage);
  });

  it("leaves nothing when its owner asks to be freed from its copy [I7, I8]", () => {
    const stage = forgotten("COMPLETE");
    silence(stage, [C], "COMPLETE");
    const write = put(stage, A, "k2", 2, "backup");
    work(stage, 20_000, [A, B]);
    expect(isAcked(stage, write)).toBe(true);
    expect(roleAt(stage, A)).toMatchObject({ copies: [{ state: "complete" }] });
    expect(entryOf(stage)?.holders).toContain(C);
    silence(stage, []);
    work(stage, 20_000);
    nothingIsLeft(stage);
  });

  it("has no holder that is no member any more, if its node was evicted meanwhile [I8]", () => {
    const stage = forgotten("COMPLETE");
    silence(stage, [C], "COMPLETE");
    stage.ask(evict(C));
    work(stage, 3_000, [A, B]);
    expect(stateOf(stage, C)).toBeUndefined();
    expect(roleAt(stage, A)).toMatchObject({ copies: [{ nodeId: B }, { nodeId: C }] });
    silence(stage, [C]);
    work(stage, 5_000, [A, B]);
    expect(roleAt(stage, A)).toMatchObject({ copies: [{ nodeId: B }] });
    expect(entryOf(stage)?.holders.toSorted()).toEqual([A, B]);
  });

  it("does not keep its owner awake for ever, if its node is lost before it had all [I8]", () => {
    const stage = forgotten("MIGRATE_DATA");
    expect(roleAt(stage, A)).toMatchObject({ copies: [{}, { nodeId: C, state: "copying" }] });
    silence(stage, [C]);
    work(stage, 20_000, [A, B]);
    expect(stateOf(stage, C)).toBe("dead");
    expect(wakesPerHour(stage)).toBe(0);
    expect(roleAt(stage, A)).toMatchObject({ copies: [{ nodeId: B }] });
  });
});
