import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DeadlineFailureDetector } from "../../../src/core/detector/deadline.ts";
import type { FailureDetector } from "../../../src/core/detector/detector.ts";
import { PhiAccrualFailureDetector } from "../../../src/core/detector/phi.ts";
import { NodeId } from "../../../src/data/ids.ts";
import { NODES_MAX } from "../../../src/protocol/limits.ts";

const CONFIG = { phiThreshold: 8, maxSampleSize: 200, minStdDevMs: 100, maxNoHeartbeatMs: 5_000 };
const A = NodeId("a");
const B = NodeId("b");
const YEAR_MS = 365 * 86_400_000;

const phi = new PhiAccrualFailureDetector(CONFIG);
const deadline = new DeadlineFailureDetector(CONFIG);
const both: readonly (readonly [string, FailureDetector])[] = [
  ["phi", phi],
  ["deadline", deadline],
];

/** Heartbeats of A after these pauses, the first at 1,000; and the time of the last. */
function heard<D extends FailureDetector>(from: D, pauses: readonly number[]) {
  let detector: FailureDetector = from.heartbeat(A, 1_000);
  let now = 1_000;
  for (const pause of pauses) detector = detector.heartbeat(A, (now += pause));
  return { detector, now };
}
const regular = (count: number): readonly number[] => Array.from({ length: count }, () => 1_000);

const pause = fc.integer({ min: 0, max: CONFIG.maxNoHeartbeatMs });
const pauses = fc.array(pause, { maxLength: 30 });

describe("the phi accrual detector", () => {
  it("has a phi low right after 10 regular heartbeats", () => {
    const { detector, now } = heard(phi, regular(9));
    expect(detector.suspicionLevel(A, now)).toBeLessThan(1e-20);
    expect(detector.suspicionLevel(A, now + 1_000)).toBeCloseTo(Math.log10(2), 12);
    expect(detector.isAlive(A, now + 1_000)).toBe(true);
  });

  it("has a phi rising monotonically with the silence, up to years of it, and never infinite", () => {
    const silence = fc.oneof(fc.nat(20_000), fc.nat(1_000 * YEAR_MS));
    fc.assert(
      fc.property(pauses, silence, fc.integer({ min: 1, max: YEAR_MS }), (before, ms, more) => {
        const { detector, now } = heard(phi, before);
        const [sooner = NaN, later = NaN] = [ms, ms + more].map((at) =>
          detector.suspicionLevel(A, now + at),
        );
        expect(later).toBeGreaterThanOrEqual(sooner);
        // Long before a heartbeat is expected both are too small to be told apart.
        if (later > 1e-9) expect(later).toBeGreaterThan(sooner);
        expect(later).toBeLessThan(Number.MAX_VALUE);
      }),
      { numRuns: 1_000 },
    );
  });

  it("rises with each millisecond of a silence, where its formula changes too", () => {
    const { detector, now } = heard(phi, [900, 1_100, 1_000, 1_200, 700]);
    let last = 0;
    for (let ms = 1; ms < 20_000; ms++) {
      const level = detector.suspicionLevel(A, now + ms);
      expect(level).toBeGreaterThan(last);
      last = level;
    }
  });

  it("takes a node for dead after long silence, and for alive until then", () => {
    const { detector, now } = heard(phi, regular(9));
    // 5.612 deviations of 100 ms: one silence in 10^8 of a node like this is longer.
    expect(detector.aliveUntil(A)).toBe(now + 1_562);
    expect(detector.isAlive(A, now + 1_561)).toBe(true);
    expect(detector.isAlive(A, now + 1_562)).toBe(false);
    expect(detector.isAlive(A, now + YEAR_MS)).toBe(false);
  });

  it("waits longer for a node whose heartbeats come less regularly", () => {
    const steady = heard(phi, regular(20));
    const unsteady = heard(phi, [...regular(10), 200, 1_800, 300, 2_500, 100, 1_100, 1_000]);
    expect((unsteady.detector.aliveUntil(A) ?? 0) - unsteady.now).toBeGreaterThan(
      (steady.detector.aliveUntil(A) ?? 0) - steady.now,
    );
  });

  it("goes by the deadline while it knows fewer than 3 pauses", () => {
    for (const count of [0, 1, 2]) {
      const { detector, now } = heard(phi, regular(count));
      expect(detector.suspicionLevel(A, now + 2_500)).toBe(4);
      expect(detector.aliveUntil(A)).toBe(now + 5_000);
    }
    const { detector, now } = heard(phi, regular(3));
    expect(detector.suspicionLevel(A, now + 2_500)).toBeGreaterThan(40);
  });

  it("goes by the last pauses only, as many as its window holds", () => {
    const { detector, now } = heard(phi, [
      ...Array.from({ length: 50 }, () => 4_000),
      ...regular(200),
    ]);
    expect(detector.aliveUntil(A)).toBe(now + 1_562);
    expect(detector instanceof PhiAccrualFailureDetector && detector.heard.get(A)).toMatchObject({
      intervalsMs: { length: 200 },
    });
  });

  it("does not learn from a pause that was a failure", () => {
    const { detector, now } = heard(phi, [...regular(10), YEAR_MS, 1_000]);
    expect(detector.aliveUntil(A)).toBe(now + 1_562);
  });
});

describe("the deadline detector", () => {
  it("is right on both sides of its deadline", () => {
    const { detector, now } = heard(deadline, regular(3));
    expect(detector.isAlive(A, now + 4_999)).toBe(true);
    expect(detector.isAlive(A, now + 5_000)).toBe(false);
    expect(detector.aliveUntil(A)).toBe(now + 5_000);
    expect(detector.suspicionLevel(A, now + 2_500)).toBe(0.5);
  });
});

describe.each(both)("every detector: %s", (_, empty) => {
  it("has a level of 0.0 for an unknown node, which is not taken for dead", () => {
    const { detector, now } = heard(empty, regular(5));
    expect(detector.suspicionLevel(B, now + YEAR_MS)).toBe(0.0);
    expect(detector.isAlive(B, now + YEAR_MS)).toBe(true);
    expect(detector.aliveUntil(B)).toBeNull();
  });

  it("is alive up to the millisecond before `aliveUntil`, not from then on", () => {
    fc.assert(
      fc.property(pauses, (before) => {
        const { detector } = heard(empty, before);
        const until = detector.aliveUntil(A) ?? Number.NaN;
        expect(detector.isAlive(A, until - 1)).toBe(true);
        expect(detector.isAlive(A, until)).toBe(false);
      }),
    );
  });

  it("takes a node for alive again when it is heard, and every node by itself", () => {
    const { detector, now } = heard(empty, regular(5));
    const later = now + 60_000;
    const again = detector.heartbeat(B, later).heartbeat(A, later);
    expect([detector.isAlive(A, later), again.isAlive(A, later)]).toEqual([false, true]);
    expect([again.isAlive(B, later + 4_999), again.isAlive(B, later + 5_000)]).toEqual([
      true,
      false,
    ]);
  });

  it("counts the silence of a node that has never been heard from when it is watched", () => {
    const detector = empty.watch(A, 1_000).watch(A, 3_000);
    expect([detector.isAlive(A, 5_999), detector.isAlive(A, 6_000)]).toEqual([true, false]);
    expect(detector.heartbeat(A, 6_000).isAlive(A, 6_001)).toBe(true);
  });

  it("says nothing any more of a node that it is to forget", () => {
    const { detector, now } = heard(empty, regular(5));
    const without = detector.forget(A);
    expect(without.suspicionLevel(A, now + YEAR_MS)).toBe(0);
    expect(without.heartbeat(A, now + YEAR_MS).aliveUntil(A)).toBe(now + YEAR_MS + 5_000);
  });

  it("is not misled by a clock that goes back", () => {
    const { detector, now } = heard(empty, regular(5));
    expect(detector.heartbeat(A, now - 3_000)).toBe(detector);
    expect(detector.suspicionLevel(A, now - 3_000)).toBe(detector.suspicionLevel(A, now));
  });

  it("is not changed by what another hears", () => {
    const { detector, now } = heard(empty, regular(5));
    const level = detector.suspicionLevel(A, now + 3_000);
    detector
      .heartbeat(A, now + 3_000)
      .forget(A)
      .watch(B, 0);
    expect(detector.suspicionLevel(A, now + 3_000)).toBe(level);
    expect(detector.aliveUntil(B)).toBeNull();
  });

  it("watches no more nodes than a cluster may have", () => {
    let detector = empty;
    for (let i = 0; i <= NODES_MAX; i++) detector = detector.heartbeat(NodeId(`n${i}`), 1_000);
    expect(detector.aliveUntil(NodeId(`n${NODES_MAX - 1}`))).toBe(6_000);
    expect(detector.aliveUntil(NodeId(`n${NODES_MAX}`))).toBeNull();
  });
});
