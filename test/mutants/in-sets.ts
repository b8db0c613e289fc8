/** Sets and counters. */
import { FIRST_WILD } from "../sim/options.ts";
import type { Mutant, Test } from "./mutant.ts";

const sets = (title: string): Test => ({ file: "test/core/sets.test.ts", title });

export const IN_SETS: readonly Mutant[] = [
  {
    name: "newer add over its removal",
    bug: "of an add and its removal the newer stamp wins",
    file: "src/data/row.ts",
    find: "return Number(a.value === null) - Number(b.value === null) || compareWrites(a, b);",
    replace: "return compareWrites(a, b);",
    killedBy: sets("never had what is removed before it comes"),
  },
  {
    name: "unseen adds removed",
    bug: "a removal removes whatever its owner has, also what it does not name",
    file: "src/core/node/clients.ts",
    find: "if (!tags) return",
    replace: "if (tags !== undefined) return",
    killedBy: { checkers: ["R-set", "I6"], seeds: 20, from: FIRST_WILD + 1 },
  },
  {
    name: "one tag of each element",
    bug: "of an element that was added twice only one add is read",
    file: "src/core/rows/look.ts",
    find: "known.tags.length < this.#bounds.tagsMax",
    replace: "known.tags.length < Math.min(1, this.#bounds.tagsMax)",
    killedBy: { checkers: ["R-set"], seeds: 20, from: FIRST_WILD + 3 },
  },
  {
    name: "later adds removed",
    bug: "a removal of all removes what the same frame adds after it",
    file: "src/core/node/changes.ts",
    find: "&& isBefore(index);",
    replace: "&& isBefore !== undefined;",
    killedBy: sets(
      "loses with a removal that names no tags what its owner has by then, also in the same frame, and no more",
    ),
  },
  {
    name: "nothing left, nothing to wait for",
    bug: "a removal that finds all removed is acknowledged while the one before it still waits",
    file: "src/core/node/changes.ts",
    find: "backup || subs.length === 0 ? seen.removals.slice(-ADDS_MAX) : [];",
    replace: "[];",
    killedBy: sets(
      "a removal that finds nothing left waits for the backups as the one before it does",
    ),
  },
  {
    name: "tags from the future",
    bug: "a tag may be ahead of every clock",
    file: "src/core/node/sort.ts",
    find: "?? firstTag(op, isAhead, turn.now)",
    replace: "?? firstTag(op, () => false, turn.now)",
    killedBy: sets(
      "takes no tag that is ahead of every clock: its removal would never be forgotten",
    ),
  },
  {
    name: "an owner counts on",
    bug: "an owner counts under the same name each time that it is one",
    file: "src/core/node/changes.ts",
    find: "${incarnation}.${ruling.since}",
    replace: "${incarnation}.${typeof ruling.since}",
    killedBy: sets(
      "an owner that is one again does not count on from less than it had counted [I6]",
    ),
  },
  {
    name: "an owner counts anew",
    bug: "an owner forgets what it has counted before",
    file: "src/core/node/changes.ts",
    find: "?? seen.known ?? {",
    replace: "?? {",
    killedBy: { checkers: ["R-count"], seeds: 20, from: FIRST_WILD + 3 },
  },
  {
    name: "sides taken for one",
    bug: "what was taken away from a counter is added to it",
    file: "src/core/rows/look.ts",
    find: 'if (sideIn(row.sub)?.side === "inc")',
    replace: "if (sideIn(row.sub))",
    killedBy: { checkers: ["R-count"], seeds: 20, from: FIRST_WILD + 3 },
  },
  {
    name: "increments together are one",
    bug: "of what callers add in one group the last counts",
    file: "src/core/node/changes.ts",
    find: "this.#totals.get(name) ?? seen",
    replace: "seen",
    killedBy: sets("adds up what callers without an id ask for, together or one after the other"),
  },
  {
    name: "any number of replicas",
    bug: "nobody counts the replicas of a counter",
    file: "src/core/node/changes.ts",
    find: "if (replicas > REPLICAS_MAX)",
    replace: "if (replicas > Infinity)",
    killedBy: sets(
      "refuses one replica more than it may have, and names the bound; those that it has go on",
    ),
  },
  {
    name: "counts forgotten",
    bug: "what was counted long ago is taken for what may have been deleted since",
    file: "src/data/row.ts",
    find: '(kind === "lww" || kind === "or") && stamp.millis < since',
    replace: '(kind === "lww" || kind !== "event") && stamp.millis < since',
    killedBy: {
      file: "test/data/element.test.ts",
      title: "what was added to a counter or a journal is never taken for deleted",
    },
  },
  {
    name: "increment asked again",
    bug: "the front asks again for an increment that may have been counted",
    file: "src/worker/owners.ts",
    find: 'const isOnce = ({ type }: Op): boolean => type === "increment";',
    replace: "const isOnce = ({ type }: Op): boolean => type === undefined;",
    killedBy: {
      file: "test/objects/owners.test.ts",
      title: "says that nothing is known of an increment whose owner is silent, and asks once",
    },
  },
  {
    name: "removal gone before its add",
    bug: "a removal is forgotten by the clock of who removed, however far behind that is",
    file: "src/data/row.ts",
    find: "return Math.max(stamp.millis, writtenAt(row));",
    replace: "return stamp.millis;",
    killedBy: {
      file: "test/data/element.test.ts",
      title:
        "a removal is gone no sooner than its add was made, if the clock of who removed was behind",
    },
  },
];
