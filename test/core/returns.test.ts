/** Word comes that what made somebody wait is over: the pause that grew meanwhile is over with it. */
import { describe, expect, it } from "vitest";
import { FAST, type Config } from "../../src/core/config.ts";
import type { NodeId } from "../../src/data/ids.ts";
import type { Letter, Stage } from "../scripts/stage.ts";
import {
  A,
  B,
  C,
  P,
  cluster,
  concerns,
  isAcked,
  ownerOf,
  put,
  stateOf,
  without,
  work,
} from "./trio.ts";

const tableOf = (stage: Stage, id: NodeId): number => stage.node(id).disk.self.tableVersion;
const newest = (stage: Stage): number | undefined => stage.coordinator.disk.cluster?.tableVersion;

describe("a member that was told of a new owner in vain", () => {
  /** C hears nothing and is not heard, and the longest of pauses has just begun. */
  function untold(settings: Partial<Config>, before: (stage: Stage) => void): Stage {
    const stage = cluster(settings);
    before(stage);
    let lost = 0;
    stage.cut = (from, to, { type }) => {
      if (to === C && type === "PARTITION_TABLE_UPDATE") lost = stage.now;
      return concerns([C], from, to);
    };
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: B });
    work(stage, 30_000, [A, B]);
    for (let i = 0; i < 200 && lost < stage.now - 100; i++) work(stage, 100, [A, B]);
    expect(lost).toBeGreaterThanOrEqual(stage.now - 100);
    expect(ownerOf(stage)).toBe(B);
    expect(tableOf(stage, C)).toBeLessThan(newest(stage) ?? 0);
    without(stage, []);
    return stage;
  }

  it("is told as soon as it is heard again, however long it was silent [I8, sim seed 1154399]", () => {
    const stage = untold({ suspicionTimeoutMs: 600_000 }, (whole) => work(whole, 1_000));
    expect(stateOf(stage, C)).toBe("suspect");
    work(stage, 2 * FAST.heartbeatMs);
    expect(tableOf(stage, C)).toBe(newest(stage));
  });

  it("is told as soon as it works again, if it was asleep and nobody missed it [I8, sim seed 1154399]", () => {
    const stage = untold({}, (whole) => work(whole, FAST.idleAfterMs + 2_000, [A, B]));
    expect(stateOf(stage, C)).toBe("active");
    work(stage, 2 * FAST.heartbeatMs);
    expect(tableOf(stage, C)).toBe(newest(stage));
  });

  it("is told within two heartbeats of its hearing again, if it was heard all the time [I8]", () => {
    const stage = cluster();
    let lost = 0;
    stage.cut = (from, to, { type }) => {
      if (from !== "coordinator" || to !== C) return false;
      if (type === "PARTITION_TABLE_UPDATE") lost = stage.now;
      return true;
    };
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: B });
    work(stage, 60_000);
    for (let i = 0; i < 200 && lost < stage.now - 100; i++) work(stage, 100);
    expect(lost).toBeGreaterThanOrEqual(stage.now - 100);
    expect([stateOf(stage, C), ownerOf(stage)]).toEqual(["active", B]);
    expect(tableOf(stage, C)).toBeLessThan(newest(stage) ?? 0);
    without(stage, []);
    work(stage, 2 * FAST.heartbeatMs + FAST.retryMsMin + 100);
    expect(tableOf(stage, C)).toBe(newest(stage));
  });

  it("is not told twice when it was told just now [I8, sim seed 1154399]", () => {
    const stage = cluster();
    const isNews = (to: string, type: string): boolean =>
      to === C && type === "PARTITION_TABLE_UPDATE";
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: B });
    const rest = (): void => {
      const next = () => stage.letters.findIndex(({ to, message }) => !isNews(to, message.type));
      for (let at = next(); at >= 0; at = next())
        for (const letter of stage.letters.splice(at, 1)) stage.deliver(letter);
    };
    rest();
    const underWay = stage.letters.length;
    expect(underWay).toBe(1);
    stage.ask({
      type: "EXPLICIT_SUSPICION",
      suspectId: C,
      reason: "it does not answer",
      masterViewVersion: stage.coordinator.disk.view.version,
    });
    const probes = stage.delivered.get("PROBE") ?? 0;
    rest();
    expect(stage.delivered.get("PROBE")).toBe(probes + 1);
    expect(stage.letters).toHaveLength(underWay);
  });
});

describe("a write that was passed on to an owner that is gone", () => {
  /** It is at C, has been asked for in vain for long, and the next pause has just begun. */
  function waiting(): { readonly stage: Stage; readonly write: number } {
    const stage = cluster({ backupCount: 1, forwardTimeoutMs: 120_000 });
    work(stage, 2_000);
    let lost = 0;
    stage.cut = (from, to, { type }) => {
      if (from === C && type === "OP_FORWARD") lost = stage.now;
      return concerns([A, "coordinator"], from, to);
    };
    const write = put(stage, C, "k", 1);
    stage.live(30_000);
    for (let i = 0; i < 200 && lost < stage.now - 100; i++) stage.live(100);
    expect(lost).toBeGreaterThanOrEqual(stage.now - 100);
    return { stage, write };
  }

  it("goes to the next one as soon as that is known [I8]", () => {
    const { stage, write } = waiting();
    without(stage, [A]);
    const before = tableOf(stage, C);
    for (let i = 0; i < 100 && tableOf(stage, C) === before; i++) work(stage, 100, [B, C]);
    expect(ownerOf(stage)).not.toBe(A);
    expect(isAcked(stage, write)).toBe(true);
  });

  it("waits for its answer when it was passed on just now [I8]", () => {
    const stage = cluster();
    work(stage, 1_000);
    let asked = 0;
    stage.cut = (from, _, { type }) => {
      if (from === C && type === "OP_FORWARD") asked++;
      return false;
    };
    const write = put(stage, C, "k", 1);
    const isForward = ({ message }: Letter): boolean => message.type === "OP_FORWARD";
    const underWay = stage.letters.filter(isForward);
    stage.letters = stage.letters.filter((letter) => !isForward(letter));
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: B });
    stage.live(100);
    expect(tableOf(stage, C)).toBe(newest(stage));
    expect(ownerOf(stage)).toBe(B);
    expect(asked).toBe(1);
    for (const letter of underWay) stage.deliver(letter);
    stage.live(100);
    expect(isAcked(stage, write)).toBe(true);
  });
});
