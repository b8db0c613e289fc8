/** Ledgers and queues do what maps and lists do, and what was made of one leaves it as it was. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { Ledger } from "../../../src/core/machine/ledger.ts";
import { Queue } from "../../../src/core/machine/queue.ts";

/** Some that share a place, some that are neighbours. */
const key = fc.oneof(
  fc.integer({ min: 0, max: 600 }),
  fc.constantFrom(3, 3 + 2 ** 16, 3 + 2 ** 40, 2 ** 53 - 1),
);
const change = fc.record({ key, value: fc.option(fc.integer()) });

it("a ledger is a map, and every one that it was before stays", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      const map = new Map<number, number>();
      let ledger = Ledger.empty<number, number>();
      const before: [typeof ledger, Map<number, number>][] = [];
      for (const { key: at, value } of changes) {
        before.push([ledger, new Map(map)]);
        if (value === null) map.delete(at);
        else map.set(at, value);
        ledger = value === null ? ledger.without(at) : ledger.with(at, value);
      }
      for (const [is, was] of [...before, [ledger, map] as const]) {
        expect(is.size).toBe(was.size);
        expect(new Map(is)).toEqual(was);
        for (const [at, value] of was) expect(is.get(at)).toBe(value);
        expect(is.get(601)).toBeUndefined();
      }
    }),
  );
});

it("a queue is a list, and whatever it was continued by, twice too, stays", () => {
  const added = fc.tuple(fc.nat(), fc.array(fc.integer(), { maxLength: 3 }));
  fc.assert(
    fc.property(fc.array(added, { maxLength: 40 }), (steps) => {
      const made: [Queue<number>, readonly number[]][] = [[Queue.of<number>([]), []]];
      for (const [n, items] of steps) {
        const from = made[n % made.length];
        if (from) made.push([from[0].with(items), [...from[1], ...items]]);
      }
      for (const [queue, list] of made) {
        expect([...queue]).toEqual(list);
        expect(queue.length).toBe(list.length);
        expect(queue.first()).toBe(list[0]);
        expect(queue.slice(1, 3)).toEqual(list.slice(1, 3));
        expect(queue.slice(1)).toEqual(list.slice(1));
      }
    }),
  );
});
