import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CLOCK_ZERO,
  compareStamps,
  isAhead,
  receive,
  tick,
  type Clock,
  type Stamp,
} from "../../src/data/hlc.ts";
import { STAMP_AHEAD_MAX_MS, STAMP_COUNTER_MAX, STAMP_MILLIS_MAX } from "../../src/data/limits.ts";
import { stamp } from "./arbitraries.ts";

/** Wall clocks jump: back, ahead, before 1970, between milliseconds. */
const nowMs = fc.oneof(
  fc.integer({ min: -2, max: 6 }),
  fc.double({ min: -5, max: 5, noNaN: true }),
  fc.constantFrom(1_800_000_000_000, 1_800_000_000_000.7),
);

const clock: fc.Arbitrary<Clock> = fc.record({
  millis: fc.nat(3),
  counter: fc.constantFrom(0, 1, STAMP_COUNTER_MAX - 1, STAMP_COUNTER_MAX),
});

type Event = { readonly nowMs: number; readonly seen: Stamp | null };
const nearStamp = fc.record({
  millis: fc.nat(6),
  counter: fc.constantFrom(0, 1, STAMP_COUNTER_MAX - 1, STAMP_COUNTER_MAX),
  node: fc.constantFrom("a", "n1.1", "z"),
});
const event: fc.Arbitrary<Event> = fc.record({ nowMs, seen: fc.option(nearStamp, { freq: 2 }) });

describe("hybrid logical clock", () => {
  it("ticks beyond everything it has stamped or seen, though the wall clock goes back", () => {
    let wentBack = 0;
    let overflowed = 0;
    fc.assert(
      fc.property(clock, fc.array(event, { minLength: 2, maxLength: 40 }), (start, events) => {
        let at = start;
        let newest: Stamp = { ...start, node: "zzz" }; // the greatest node: ties would show
        let wall = -Infinity;
        for (const { nowMs: now, seen } of events) {
          if (now < wall) wentBack += 1;
          wall = now;
          if (seen === null) {
            const before = at;
            const [after, made] = tick(at, now, "n1.1");
            expect({ ...after, node: "n1.1" }).toEqual(made);
            expect(compareStamps(made, newest)).toBeGreaterThan(0);
            expect(made.millis).toBeGreaterThanOrEqual(Math.floor(now));
            if (made.counter === 0 && made.millis > now) overflowed += 1;
            expect(
              made.millis === before.millis + 1 || made.millis <= Math.max(now, before.millis),
            ).toBe(true);
            at = after;
            newest = { ...made, node: "zzz" };
          } else {
            at = receive(at, seen, now);
            if (compareStamps(seen, newest) > 0) newest = { ...seen, node: "zzz" };
          }
        }
      }),
      { numRuns: 2_000 },
    );
    expect(wentBack).toBeGreaterThan(1_000);
    expect(overflowed).toBeGreaterThan(100);
  });

  it("shows the wall clock's time when that is ahead", () => {
    expect(tick(CLOCK_ZERO, 1_800_000_000_000, "n1.1")).toEqual([
      { millis: 1_800_000_000_000, counter: 0 },
      { millis: 1_800_000_000_000, counter: 0, node: "n1.1" },
    ]);
    expect(tick({ millis: 5, counter: 9 }, 6.9, "n")[1]).toEqual({
      millis: 6,
      counter: 0,
      node: "n",
    });
  });

  it("counts within a millisecond, and moves on to the next when the counter is full", () => {
    expect(tick({ millis: 5, counter: 9 }, 5, "n")[0]).toEqual({ millis: 5, counter: 10 });
    const full = { millis: 5, counter: STAMP_COUNTER_MAX };
    expect(tick({ ...full, counter: STAMP_COUNTER_MAX - 1 }, 3, "n")[0]).toEqual(full);
    expect(tick(full, 3, "n")[0]).toEqual({ millis: 6, counter: 0 });
    expect(tick(full, 9, "n")[0]).toEqual({ millis: 9, counter: 0 });
  });

  it("stands still at the end of time rather than overflow or throw", () => {
    const end = { millis: STAMP_MILLIS_MAX, counter: STAMP_COUNTER_MAX };
    expect(tick(end, Number.MAX_VALUE, "n")[0]).toEqual(end);
    expect(tick(CLOCK_ZERO, Infinity, "n")[0]).toEqual({ millis: STAMP_MILLIS_MAX, counter: 0 });
    expect(receive(CLOCK_ZERO, { ...end, node: "n" }, 0)).toEqual(end);
  });

  it("takes a wall clock that is no number as one that stands", () => {
    expect(tick({ millis: 5, counter: 9 }, NaN, "n")[0]).toEqual({ millis: 5, counter: 10 });
    expect(receive({ millis: 5, counter: 9 }, { millis: 6, counter: 1, node: "n" }, NaN)).toEqual({
      millis: 6,
      counter: 1,
    });
  });

  it.each(["", "a:b", "é", "a b", "x".repeat(65)])("refuses to stamp for node %j", (node) => {
    expect(() => tick(CLOCK_ZERO, 0, node)).toThrow("BUG");
  });
});

describe("receive", () => {
  it("dominates: the next tick is newer than the stamp, the clock and the wall", () => {
    fc.assert(
      fc.property(clock, fc.oneof(nearStamp, stamp), nowMs, nowMs, (start, seen, now, later) => {
        fc.pre(seen.millis < STAMP_MILLIS_MAX);
        const [, made] = tick(receive(start, seen, now), later, "-");
        expect(compareStamps(made, seen)).toBeGreaterThan(0);
        expect(compareStamps(made, { ...start, node: "zzz" })).toBeGreaterThan(0);
        expect(made.millis).toBeGreaterThanOrEqual(Math.floor(now));
      }),
      { numRuns: 2_000 },
    );
  });

  it("is a maximum: order and repetition of what is seen change nothing", () => {
    fc.assert(
      fc.property(clock, nearStamp, nearStamp, nowMs, (start, a, b, now) => {
        const ab = receive(receive(start, a, now), b, now);
        expect(receive(receive(start, b, now), a, now)).toEqual(ab);
        expect(receive(ab, a, now)).toBe(ab); // the same object: nothing to save
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("order of stamps", () => {
  it.each<[Stamp, Stamp]>([
    [
      { millis: 1, counter: 9, node: "z" },
      { millis: 2, counter: 0, node: "a" },
    ],
    [
      { millis: 1, counter: 1, node: "z" },
      { millis: 1, counter: 2, node: "a" },
    ],
    [
      { millis: 1, counter: 1, node: "B" },
      { millis: 1, counter: 1, node: "a" },
    ],
    [
      { millis: 1, counter: 1, node: "n.1" },
      { millis: 1, counter: 1, node: "n.10" },
    ],
    [
      { millis: 1, counter: 1, node: "n.10" },
      { millis: 1, counter: 1, node: "n.2" },
    ],
  ])("%j is older than %j", (older, newer) => {
    expect(compareStamps(older, newer)).toBeLessThan(0);
    expect(compareStamps(newer, older)).toBeGreaterThan(0);
    expect(compareStamps(older, { ...older })).toBe(0);
  });
});

describe("drift", () => {
  const at = (millis: number): Stamp => ({ millis, counter: 0, node: "n" });
  const now = 1_800_000_000_000;

  it("is allowed up to the bound, and not beyond", () => {
    expect(STAMP_AHEAD_MAX_MS).toBe(60_000);
    expect(isAhead(at(now + 60_000), now)).toBe(false);
    expect(isAhead(at(now + 60_001), now)).toBe(true);
    expect(isAhead(at(now - 86_400_000), now)).toBe(false);
    expect(isAhead({ ...at(now + 60_000), counter: STAMP_COUNTER_MAX }, now)).toBe(false);
  });
});
