/** Who becomes the owner of what is lost, where more than one is lost or little is known. */
import { describe, expect, it } from "vitest";
import { FAST } from "../../src/core/config.ts";
import type { ClusterMessage, Sender } from "../../src/protocol/cluster-messages.ts";
import { Stage } from "../scripts/stage.ts";
import {
  A,
  B,
  C,
  D,
  P,
  ADD_ONE,
  cluster,
  entryOf,
  isAcked,
  ownerOf,
  put,
  restore,
  silence,
  stateOf,
  valueAt,
  withCopy,
  work,
} from "./trio.ts";

describe("a partition whose owner is lost", () => {
  it("keeps a copy that is complete, whatever was asked of it while its owner is in doubt [I15, sim seed 901050]", () => {
    const stage = withCopy();
    silence(stage, [A]);
    while (stateOf(stage, A) === "active") work(stage, 10, [B, C]);
    expect(stateOf(stage, A)).toBe("suspect");
    stage.ask({ type: "CANCEL_MOVE", partitionId: P });
    work(stage, 6_000, [B, C]);
    expect(ownerOf(stage)).toBe(B);
    expect(valueAt(stage, B, "k")).toBe(1);
  });

  it("keeps it also while an owner that is leaving does not answer [I15, sim seed 131045]", () => {
    const stage = withCopy();
    silence(stage, [A]);
    stage.ask({ type: "LEAVE_REQUEST", nodeId: A, force: false });
    const { maxNoHeartbeatMs, probeTimeoutMs, suspicionTimeoutMs } = FAST;
    work(stage, maxNoHeartbeatMs + probeTimeoutMs + suspicionTimeoutMs / 2, [B, C]);
    expect(stateOf(stage, A)).toBe("leaving");
    stage.ask({ type: "CANCEL_MOVE", partitionId: P });
    work(stage, 6_000, [B, C]);
    expect(ownerOf(stage)).toBe(B);
    expect(valueAt(stage, B, "k")).toBe(1);
  });

  it("goes to a copy that answers, not to one that was lost just after its owner", () => {
    const stage = cluster({ initialNodes: 4, backupCount: 2 });
    // The next reign asks everybody at the first silence, so that none need be asked at the loss.
    stage.coordinator.crash();
    work(stage, 500, [A, B, C, D]);
    const copies = entryOf(stage)?.ruling.copies.map(({ nodeId }) => nodeId) ?? [];
    const [first, second] = copies;
    if (!first || !second) throw new Error("there are two copies");
    silence(stage, [A]);
    work(stage, FAST.suspicionTimeoutMs - FAST.probeTimeoutMs / 2, [B, C, D]);
    silence(stage, [A, first]);
    const others = [B, C, D].filter((id) => id !== first);
    while (stateOf(stage, A) !== "dead") work(stage, 10, others);
    expect(stateOf(stage, first)).toBe("active");
    expect(ownerOf(stage)).toBe(second);
  });

  it("keeps a copy that nobody wants while another one does not answer [I15, sim seed 151963]", () => {
    const stage = cluster({ backupCount: 1 });
    silence(stage, [], "MIGRATE_READY");
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: C });
    work(stage, 1_000);
    const complete = [B, C].map((nodeId) => ({ nodeId, state: "complete" }));
    expect(entryOf(stage)?.ruling.copies).toEqual(complete);
    silence(stage, [B], "MIGRATE_READY");
    work(stage, FAST.maxNoHeartbeatMs + FAST.probeTimeoutMs / 2, [A, C]);
    expect(stateOf(stage, B)).toBe("active");
    stage.ask({ type: "CANCEL_MOVE", partitionId: P });
    stage.live(10);
    expect(entryOf(stage)).toMatchObject({ move: null, ruling: { copies: complete } });
    silence(stage, []);
    work(stage, 2_000);
    expect(entryOf(stage)?.ruling.copies).toHaveLength(1);
  });

  it("keeps it also when it is planned elsewhere meanwhile [I15]", () => {
    const stage = withCopy();
    const write = put(stage, A, "k2", 2, "backup");
    work(stage, 300);
    expect(isAcked(stage, write)).toBe(true);
    silence(stage, [A]);
    while (stateOf(stage, A) === "active") work(stage, 10, [B, C]);
    stage.ask({ type: "DRAIN_NODE", nodeId: B });
    work(stage, 6_000, [B, C]);
    const owner = ownerOf(stage);
    expect([B, C]).toContain(owner);
    expect(valueAt(stage, owner === B ? B : C, "k2")).toBe(2);
  });

  it("is no loss to what a copy has that nobody has ruled complete: that is not backed up [I6]", () => {
    const stage = cluster({ backupCount: 1, initialNodes: 4 });
    const isCopying = (): boolean => entryOf(stage)?.ruling.copies[0]?.state === "copying";
    work(stage, 500, [A, B, C, D]);
    silence(stage, [B], "COMPLETE");
    for (let i = 0; i < 100 && !isCopying(); i++) work(stage, 100, [A, C, D]);
    work(stage, 2_000, [A, C, D]);
    expect(isCopying()).toBe(true);
    const [safe, quick] = [put(stage, A, "k", 1, "backup"), put(stage, A, "k", 2)];
    work(stage, 500, [A, C, D]);
    expect([isAcked(stage, safe), isAcked(stage, quick)]).toEqual([false, true]);
    expect(valueAt(stage, C, "k")).toBe(2);
  });

  it("and taken over by a copy that has heard of no ruling before is compared with the others [I6]", () => {
    const stage = new Stage({ ...FAST, backupCount: 2, initialNodes: 3, partitionCount: 1 });
    const missed = ["PARTITION_TABLE_UPDATE", "MIGRATE_DATA"];
    const isMissed = (to: Sender, { type }: ClusterMessage): boolean =>
      to === B && missed.includes(type);
    stage.cut = (_, to, message) => isMissed(to, message);
    stage.ask({ type: "FETCH_PARTITION_TABLE" });
    stage.live(1_000);
    const write = put(stage, A, "k", 1);
    work(stage, 500, [A]);
    expect(isAcked(stage, write)).toBe(true);
    expect(valueAt(stage, C, "k")).toBe(1);
    stage.cut = (from, to, message) =>
      isMissed(to, message) || (from !== "front" && to !== "front" && (from === A || to === A));
    for (let i = 0; i < 100 && ownerOf(stage) === A; i++) work(stage, 100, [C]);
    expect(ownerOf(stage)).toBe(B);
    silence(stage, [A]);
    work(stage, 10_000, [B, C]);
    expect(valueAt(stage, B, "k")).toBe(1);
  });

  it("goes to that owner, and to nobody else, where a restored coordinator finds nobody named [I6]", () => {
    const stage = cluster();
    const write = put(stage, A, "k", 1);
    work(stage, 500);
    expect(isAcked(stage, write)).toBe(true);
    const copy = stage.coordinator.disk;
    silence(stage, [A]);
    work(stage, 6_000, [B, C]);
    expect(entryOf(stage)).toMatchObject({ lost: A, ruling: { owner: null } });
    restore(stage, copy);
    // It answers the coordinator, and is heard by nobody else.
    stage.cut = (from, to, { type }) =>
      (from === A || to === A) && from !== "front" && type !== "CAMPAIGN" && type !== "GRANT";
    stage.ask(ADD_ONE);
    work(stage, 6_000, [B, C]);
    expect(entryOf(stage)).toMatchObject({ lost: A, ruling: { owner: null } });
    stage.cut = () => false;
    work(stage, 6_000);
    expect(ownerOf(stage)).toBe(A);
  });
});
