import fc from "fast-check";
import { expect, it } from "vitest";
import { Expiries } from "../../src/client/expiries.ts";

it("what expires is taken in order of its time, whatever was put in between", () => {
  const times = fc.array(fc.nat(50), { maxLength: 60 });
  const steps = fc.array(fc.record({ times, now: fc.nat(60) }), { maxLength: 5 });
  fc.assert(
    fc.property(steps, times, (all, rest) => {
      const expiries = new Expiries<number>();
      let there: number[] = [];
      for (const { times: added, now } of [...all, { times: rest, now: 50 }]) {
        for (const at of added) expiries.add(at, at);
        there.push(...added);
        const due = there.filter((at) => at <= now).toSorted((a, b) => a - b);
        there = there.filter((at) => at > now);
        expect([...expiries.take(now)]).toEqual(due);
        expect(expiries.first).toBe(Math.min(Infinity, ...there));
      }
      expect(expiries.size).toBe(0);
      expiries.add(null, 1);
      expect(expiries.first).toBe(Infinity);
    }),
  );
});

it("what was put in again and again is kept about as often as there are entries", () => {
  const expiries = new Expiries<string>();
  const last = new Map<string, number>();
  for (let n = 0; n < 20_000; n++) {
    const key = `k${n % 7}`;
    last.set(key, 1_000 + ((n * 7_919) % 10_007));
    expiries.add(last.get(key) ?? null, key);
    expiries.tidy(last.size, () => [...last].map(([of, at]) => ({ of, at })));
    expect(expiries.size).toBeLessThanOrEqual(1_015);
  }
  const taken = new Set(expiries.take(Infinity));
  expect([...taken].toSorted()).toEqual([...last.keys()].toSorted());
});
