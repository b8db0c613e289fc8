/** The first entries of a subscription in its order, against all of them sorted. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { Ranking, type Order } from "../../src/client/ranking.ts";
import { View, type ViewChange } from "../../src/client/view.ts";
import { encodeJson } from "../../src/protocol/values.ts";

const KEYS = Array.from({ length: 20 }, (_, n) => `k${n}`);
const key = fc.constantFrom(...KEYS);
const rank = fc.constantFrom(3, 1, 2, -1, NaN, "1", "b", "a", true, false, null, undefined);
const value = fc.oneof(
  { weight: 6, arbitrary: rank.map((n) => ({ at: { n } })) },
  { weight: 1, arbitrary: fc.constant<unknown>("plain") },
  { weight: 3, arbitrary: fc.constant(undefined) },
);
const change: fc.Arbitrary<ViewChange> = fc.record({ key, value });
const order: fc.Arbitrary<Order> = fc.record(
  {
    orderBy: fc.constantFrom("at.n", "at.none", ""),
    descending: fc.boolean(),
    limit: fc.constantFrom(1, 3, 10),
  },
  { requiredKeys: [] },
);

const CLASSES = ["number", "string", "boolean"];

function sorted(
  all: ReadonlyMap<string, unknown>,
  { orderBy, descending, limit }: Order,
): string[] {
  const rankOf = (name: string): unknown => {
    if (orderBy === undefined) return name;
    const one = all.get(name);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as `value` makes them
    const n = (one as { at?: { n?: unknown } }).at?.n;
    const found = { "at.n": n, "": one }[orderBy];
    return CLASSES.includes(typeof found) && !Number.isNaN(found) ? found : null;
  };
  const classOf = (found: unknown): number =>
    found === null ? CLASSES.length : CLASSES.indexOf(typeof found);
  const compare = (a: unknown, b: unknown): number => {
    const sign = descending ? -1 : 1;
    if (a === null || b === null) return classOf(a) - classOf(b);
    const classes = classOf(a) - classOf(b);
    if (classes !== 0) return sign * classes;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of one class, which has an order
    const [one, other] = [a as string, b as string];
    return one === other ? 0 : sign * (one < other ? -1 : 1);
  };
  return [...all.keys()]
    .toSorted()
    .toSorted((a, b) => compare(rankOf(a), rankOf(b)))
    .slice(0, limit);
}

it("is the first of all that there is, in order, and tells what comes among them and what does not stay", () => {
  const seen = { pushedOut: 0, nothing: 0, many: 0 };
  fc.assert(
    fc.property(
      order,
      fc.array(fc.array(change, { maxLength: 14, size: "max" }), { minLength: 5, maxLength: 20 }),
      (asked, turns) => {
        const ranking = new Ranking(asked);
        const [all, told] = [new Map<string, unknown>(), new Map<string, unknown>()];
        for (const changes of turns) {
          const last = new Map(changes.map((one) => [one.key, one]));
          for (const one of changes) {
            ranking.take(one);
            if (one.value === undefined) all.delete(one.key);
            else all.set(one.key, one.value);
          }
          const first = sorted(all, asked);
          expect(ranking.keys()).toEqual(first);
          if (asked.limit !== undefined)
            for (const one of KEYS) expect(ranking.has(one)).toBe(first.includes(one));
          const news = ranking.news([...last.values()]);
          if (news === undefined) seen.nothing++;
          if (changes.length > 10) seen.many++;
          for (const one of news ?? []) {
            if (one.value === undefined && all.has(one.key)) seen.pushedOut++;
            if (one.value === undefined) told.delete(one.key);
            else told.set(one.key, one.value);
          }
          expect(told).toEqual(new Map(first.map((one) => [one, all.get(one)])));
        }
      },
    ),
    { numRuns: 500 },
  );
  for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(50);
});

it("lets in who is next as soon as one of the first has expired, and has what lacks the field last", () => {
  let now = 1_000;
  const ranking = new Ranking({ orderBy: "n", descending: true, limit: 2 });
  const port = { partitionCount: () => 1, now: () => now, changed: () => undefined, ranking };
  const view = new View({ map: "m" }, port);
  const values = [{ n: 5 }, { n: 9 }, {}, { n: "text" }, { n: 7 }];
  for (const [i, one] of values.entries()) {
    const bytes = encodeJson(one, "value");
    const stamp = { millis: i + 1, counter: 0, node: "c" };
    const expiresAt = i === 3 ? 2_000 : null;
    view.wrote(i, `k${i}`, { stamp, value: bytes.ok ? bytes.value : null, expiresAt });
  }
  const keys = (): string[] => [...view.entries()].map(([one]) => one);
  expect(keys()).toEqual(["k3", "k1"]);
  expect(view.value("k4")).toBeUndefined();
  now = 2_000;
  expect(view.value("k4")).toEqual({ n: 7 });
  expect(keys()).toEqual(["k1", "k4"]);
  view.wrote(9, "k1", {
    stamp: { millis: 99, counter: 0, node: "c" },
    value: null,
    expiresAt: null,
  });
  view.wrote(10, "k4", {
    stamp: { millis: 99, counter: 0, node: "c" },
    value: null,
    expiresAt: null,
  });
  expect(keys()).toEqual(["k0", "k2"]);
});
