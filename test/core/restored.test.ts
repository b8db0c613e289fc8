/** A coordinator whose storage was restored from an earlier copy, and nodes that are gone since or never were known. */
import { describe, expect, it } from "vitest";
import { Epoch } from "../../src/data/ids.ts";
import type { ClusterMessage, Sender } from "../../src/protocol/cluster-messages.ts";
import type { Stage } from "../scripts/stage.ts";
import {
  A,
  B,
  C,
  D,
  E,
  P,
  ADD_ONE,
  cluster,
  concerns,
  entryOf,
  evict,
  isAcked,
  ownerOf,
  put,
  restore,
  stateOf,
  told,
  valueAt,
  without,
  work,
} from "./trio.ts";

const RULINGS: ReadonlySet<ClusterMessage["type"]> = new Set<ClusterMessage["type"]>([
  "PARTITION_TABLE_UPDATE",
  "RULING",
  "STRIKE",
  "MIGRATE_START",
  "MIGRATE_CANCEL",
  "MIGRATE_FINALIZE",
]);

/** Nothing to or from these, the rest hears no ruling. */
function noRulings(stage: Stage, gone: readonly Sender[]): void {
  stage.cut = (from, to, message) => RULINGS.has(message.type) || concerns(gone, from, to);
}

describe("a node that is gone since the copy was made", () => {
  it("owns nothing, though nobody has heard more than that it is no member [I8]", () => {
    const stage = cluster({ backupCount: 1 });
    put(stage, A, "k", 1);
    work(stage, 1_000);
    const copy = stage.coordinator.disk;
    noRulings(stage, [A]);
    stage.ask(evict(A));
    work(stage, 3_000, [B, C]);
    expect(ownerOf(stage)).toBe(B);
    expect(stage.node(B).disk.partitions.get(P)?.ruling.owner).toBe(A);
    restore(stage, copy);
    without(stage, [A]);
    work(stage, 15_000, [B, C]);
    expect(stateOf(stage, A)).toBeUndefined();
    expect(ownerOf(stage)).toBe(B);
    expect(entryOf(stage)?.holders).toHaveLength(2);
    expect(valueAt(stage, B, "k")).toBe(1);
  });
  it("owns nothing where others know that it is dead, and had not heard who took its place [I8]", () => {
    const stage = cluster({ backupCount: 1 });
    put(stage, A, "k", 1);
    work(stage, 1_000);
    const copy = stage.coordinator.disk;
    noRulings(stage, [A]);
    work(stage, 14_000, [B, C]);
    expect(stateOf(stage, A)).toBe("dead");
    expect(stage.node(B).disk.partitions.get(P)?.ruling.owner).toBe(A);
    restore(stage, copy);
    // It tells the coordinator what it knows, and is heard by nobody else.
    stage.cut = (from, to, { type }) =>
      concerns([A], from, to) && type !== "CAMPAIGN" && type !== "GRANT";
    work(stage, 15_000, [B, C]);
    expect(stateOf(stage, A)).toBe("dead");
    expect(ownerOf(stage)).toBe(B);
    stage.ask(evict(A));
    work(stage, 5_000, [B, C]);
    expect(entryOf(stage)?.holders).toEqual([B, C]);
    expect(valueAt(stage, B, "k")).toBe(1);
  });

  it("holds nothing that anybody waits for [I8]", () => {
    const stage = cluster({ backupCount: 0, initialNodes: 4 });
    put(stage, A, "k", 1);
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: D });
    work(stage, 4_000, [A, B, C, D]);
    expect(ownerOf(stage)).toBe(D);
    const copy = stage.coordinator.disk;
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: A });
    work(stage, 4_000, [A, B, C, D]);
    expect(ownerOf(stage)).toBe(A);
    without(stage, [D]);
    stage.ask(evict(D));
    work(stage, 4_000, [A, B, C]);
    restore(stage, copy);
    work(stage, 15_000, [A, B, C]);
    expect(stateOf(stage, D)).toBeUndefined();
    expect(entryOf(stage)?.holders).toEqual([A]);
  });
});

describe("whom a partition waits for", () => {
  it("is who owned it last, whoever tells last that he did [I6]", () => {
    const all = [A, B, C, D, E];
    const stage = cluster({ backupCount: 0, initialNodes: 5 });
    const copy = stage.coordinator.disk;
    without(stage, [A]);
    work(stage, 15_000, [B, C, D, E]);
    expect(entryOf(stage)).toMatchObject({ lost: A, ruling: { owner: null } });
    const epoch = entryOf(stage)?.ruling.epoch ?? Epoch(0);
    stage.ask({ type: "CLAIM_PARTITION", partitionId: P, nodeId: B, epoch });
    work(stage, 1_000, [B, C, D, E]);
    const write = put(stage, B, "k", 7);
    work(stage, 1_000, [B, C, D, E]);
    expect(isAcked(stage, write)).toBe(true);
    without(stage, [A, B]);
    work(stage, 15_000, [C, D, E]);
    expect(entryOf(stage)).toMatchObject({ lost: B, ruling: { owner: null } });
    restore(stage, copy);
    // They answer the coordinator, first B and then A, and are heard by nobody else.
    const answering: Sender[] = [B];
    stage.cut = (from, to, { type }) =>
      concerns([A, B], from, to) &&
      !(concerns(answering, from, to) && (type === "CAMPAIGN" || type === "GRANT"));
    work(stage, 5_000, [C, D, E]);
    expect(stage.coordinator.disk.cluster?.unheard).toEqual([A]);
    answering.push(A);
    work(stage, 70_000, [C, D, E]);
    expect(stage.coordinator.disk.cluster?.unheard).toBeNull();
    expect(entryOf(stage)).toMatchObject({ lost: B, ruling: { owner: null } });
    without(stage, [B]);
    work(stage, 20_000, [A, C, D, E]);
    expect(entryOf(stage)).toMatchObject({ lost: B, ruling: { owner: null } });
    without(stage, []);
    work(stage, 10_000, all);
    expect(ownerOf(stage)).toBe(B);
    expect(valueAt(stage, B, "k")).toBe(7);
  });
});

describe("a forced order as the first word to a coordinator that was restored", () => {
  /** The copy knows neither n4 nor that it owns the partition. */
  function restored(): Stage {
    const stage = cluster({ backupCount: 0 });
    const copy = stage.coordinator.disk;
    stage.ask(ADD_ONE);
    work(stage, 2_000);
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: D });
    work(stage, 4_000, [A, B, C, D]);
    expect(ownerOf(stage)).toBe(D);
    put(stage, D, "k", 7);
    stage.live(60_000);
    restore(stage, copy);
    stage.lines.splice(0);
    return stage;
  }

  it("evicts nobody before all that can be heard has been heard", () => {
    const stage = restored();
    without(stage, [A]);
    stage.ask(evict(A));
    stage.live(10_000);
    expect(told(stage)).toHaveLength(1);
    expect(told(stage)[0]).toContain("PLANNED");
    expect(stateOf(stage, A)).toBeUndefined();
    expect(stateOf(stage, D)).toBe("active");
    work(stage, 5_000, [B, C, D]);
    expect(ownerOf(stage)).toBe(D);
    expect(valueAt(stage, D, "k")).toBe(7);
  });

  it("gives nothing away that it has not heard of", () => {
    const stage = restored();
    const epoch = entryOf(stage)?.ruling.epoch ?? Epoch(0);
    stage.ask({ type: "CLAIM_PARTITION", partitionId: P, nodeId: B, epoch });
    stage.live(10_000);
    expect(told(stage)).toEqual(["  operator: ERROR STALE_EPOCH"]);
    expect(ownerOf(stage)).toBe(D);
  });

  it("gives nothing away while somebody has not been heard, until that one is given up by name", () => {
    const stage = restored();
    without(stage, [A]);
    work(stage, 3_000, [B, C, D]);
    expect(stage.coordinator.disk.cluster?.unheard).toEqual([A]);
    const epoch = entryOf(stage)?.ruling.epoch ?? Epoch(0);
    const claim = { type: "CLAIM_PARTITION", partitionId: P, nodeId: B, epoch } as const;
    stage.ask(claim);
    stage.live(10_000);
    expect(told(stage)).toEqual(["  operator: ERROR NO_QUORUM"]);
    expect(ownerOf(stage)).toBe(D);
    stage.ask(evict(A));
    work(stage, 10_000, [B, C, D]);
    expect(stage.coordinator.disk.cluster?.unheard).toBeNull();
    stage.ask({ ...claim, epoch: entryOf(stage)?.ruling.epoch ?? Epoch(0) });
    work(stage, 2_000, [B, C, D]);
    expect(ownerOf(stage)).toBe(B);
  });

  it("and any other order: nothing is ruled by answers of those who have not told what they know [I9]", () => {
    const stage = cluster();
    stage.live(60_000);
    // Nothing has happened since, so no heartbeat says more.
    restore(stage, stage.coordinator.disk);
    stage.lines.splice(0);
    stage.cut = (_, __, { type }) => type === "CAMPAIGN";
    stage.ask(ADD_ONE);
    work(stage, 10_000);
    expect(told(stage)).toEqual(["  operator: ERROR NO_QUORUM"]);
    stage.cut = () => false;
    stage.ask(ADD_ONE);
    work(stage, 2_000);
    expect(stateOf(stage, D)).toBe("active");
    expect(told(stage)[1]).toContain("NODES_ADDED");
  });
});

describe("a node that is given up by name while another one is unheard", () => {
  it("and was there, hears what becomes of its partitions, and offers what it has [I6]", () => {
    const all = [A, B, C, D, E];
    const stage = cluster({ backupCount: 0, initialNodes: 5 });
    const copy = stage.coordinator.disk;
    stage.ask(ADD_ONE);
    work(stage, 2_000, all);
    without(stage, [A, E]);
    restore(stage, copy);
    work(stage, 3_000, [B, C, D]);
    expect(stage.coordinator.disk.cluster?.unheard).toEqual([A, E]);
    const write = put(stage, A, "k", 7);
    work(stage, 200, [A]);
    expect(isAcked(stage, write)).toBe(true);
    stage.ask(evict(A));
    work(stage, 2_000, [B, C, D]);
    expect(stateOf(stage, A)).toBeUndefined();
    without(stage, [E]);
    work(stage, 2_000, [A, B, C, D]);
    expect(stage.coordinator.disk.cluster?.unheard).toEqual([E]);
    stage.cut = () => false;
    work(stage, 10_000, all);
    expect(stage.coordinator.disk.cluster?.unheard).toBeNull();
    expect(ownerOf(stage)).not.toBe(A);
    expect(valueAt(stage, ownerOf(stage) ?? A, "k")).toBe(7);
    expect(stage.node(A).disk.self.membership).toBe("removed");
    expect(stage.node(A).rows.count(P)).toBe(0);
  });
});
