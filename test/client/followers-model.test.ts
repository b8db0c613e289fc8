/**
 * A set and a counter under one key that are followed, against an owner that others write to, too: whatever order acknowledgements,
 * refusals, changes, wholes in pieces and losses come in, in the end both show what the owner has; and on the way nothing is told
 * twice, and nothing of what this client adds counts twice or not at all.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import {
  action,
  harmless,
  ONE_ADD_EXPIRES,
  REFUSED_REMOVALS,
  type Action,
} from "./followed-steps.ts";
import { World } from "./followed-world.ts";

/** How often the runs met what it is about. */
async function runs(
  step: fc.Arbitrary<Action>,
  numRuns: number,
  examples: readonly (readonly Action[])[] = [],
): Promise<Readonly<Record<string, number>>> {
  const seen: Record<string, number> = {};
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (actions) => {
      const world = new World(seen);
      for (const one of actions) await world.do(one);
      await world.end();
    }),
    { numRuns, examples: examples.map((steps) => [[...steps]]) },
  );
  return seen;
}

it("in the end a set and a counter are what the owner has, and at no time is anything counted twice", async () => {
  const seen = await runs(action, 1_000, REFUSED_REMOVALS);
  const enough = [
    "refused",
    "stored",
    "superseded",
    "restamped",
    "changed while it was read",
    "waits",
    "needless",
  ];
  const lost = ["lost or", "lost pn", "asked or", "asked pn", "the same", "not the same"];
  for (const what of [...enough, ...lost]) expect(seen[what], what).toBeGreaterThan(0);
}, 60_000);

it("tells no element as gone that nobody has removed, and none was refused or lost", async () => {
  const seen = await runs(action.map(harmless), 300);
  expect(seen["stored"]).toBeGreaterThan(100);
  expect(seen["told as gone"]).toBeUndefined();
}, 60_000);

it("hides at once what is taken out before its add is settled", async () => {
  const world = new World({});
  await world.do({ type: "add", value: "x", ttl: null });
  expect(world.values).toEqual(new Set(["x"]));
  await world.do({ type: "delete", value: "x" });
  expect(world.values).toEqual(new Set());
  await world.do({ type: "restamp", which: 0 });
  expect(world.values).toEqual(new Set());
  await world.do({ type: "add", value: "x", ttl: null });
  expect(world.values).toEqual(new Set(["x"]));
  await world.end();
  expect(world.values).toEqual(new Set(["x"]));
});

it("shows an element as long as one of its adds is there", async () => {
  const seen: Record<string, number> = {};
  const world = new World(seen);
  for (const step of ONE_ADD_EXPIRES) await world.do(step);
  expect(world.values).toEqual(new Set(["x"]));
  expect(seen["told as gone"]).toBeUndefined();
});
