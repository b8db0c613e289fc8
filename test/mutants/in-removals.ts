/** What is taken out of sets. */
import type { Mutant, Test } from "./mutant.ts";

const sets = (title: string): Test => ({ file: "test/client/set.test.ts", title });
const removals = (title: string): Test => ({ file: "test/client/removals.test.ts", title });
const setOutbox = (title: string): Test => ({ file: "test/client/set-outbox.test.ts", title });
const OUTLIVES =
  "a removal outlives its page as the add does for which it waits, and takes that out and nothing else";

export const IN_REMOVALS: readonly Mutant[] = [
  {
    name: "elements of one name",
    bug: "of two sets an element of one is taken for an element of the other",
    file: "src/client/machine/removals.ts",
    find: "`${of.key.length}:${nameOf(of)}${textOf(of.value)}`",
    replace: "`${nameOf(of)}${textOf(of.value)}`",
    killedBy: setOutbox(
      "a removal of one set waits for no other, however key and value run together",
    ),
  },
  {
    name: "looked up, and added later",
    bug: "a removal that has to ask names what this client adds meanwhile",
    file: "src/client/set.ts",
    find: "there.filter((tag) => !later.has(formatStamp(tag)))",
    replace: "there.filter((tag) => !later.has(formatStamp(tag)) || tag)",
    killedBy: setOutbox("what was added again after it was removed twice is there"),
  },
  {
    name: "shown though there was no room",
    bug: "an add that the outbox has no room for is shown as long as a removal waits",
    file: "src/client/set.ts",
    find: "const { ask, settled } = this.#desk.ask(event, keep);\n      element.isThere = true;",
    replace: "element.isThere = true;\n      const { ask, settled } = this.#desk.ask(event, keep);",
    killedBy: setOutbox("what finds no room in the outbox shows nothing else than before"),
  },
  {
    name: "waits under an old stamp",
    bug: "a removal that has waited goes out under the stamp of a clock that was wrong",
    file: "src/client/machine/removals.ts",
    find: "const op = { ...removal.op, stamp, tags:",
    replace: "const op = { ...removal.op, ...(stamp && {}), tags:",
    killedBy: setOutbox(
      "a removal that has waited is stamped by the clock as it is when it goes out",
    ),
  },
  {
    name: "waits when all is closed",
    bug: "a removal that waits is never settled where all is closed",
    file: "src/client/machine/outbox-state.ts",
    find: "  ...waitingIn(state.removals),\n",
    replace: "",
    killedBy: setOutbox("a removal that waits is settled when all is closed"),
  },
  {
    name: "removed before it is added",
    bug: "a removal goes out beside the adds whose tags it is to name",
    file: "src/client/machine/removals.ts",
    find: "return [withUnsettled(removals, name, { adds: left, waiting: waiting.with([ask]) }), null];",
    replace: "return [withUnsettled(removals, name, { adds: left, waiting }), ask];",
    killedBy: removals(OUTLIVES),
  },
  {
    name: "a refused add that stands is not removed",
    bug: "a removal leaves out an add that a node may have, although another has refused it",
    file: "src/client/machine/removals.ts",
    find: '(outcome.type !== "refused" || ask.exposed)',
    replace: 'outcome.type !== "refused"',
    killedBy: removals(
      "a removal takes out an add that is refused when it is sent again, since a node may have it",
    ),
  },
  {
    name: "tags not written down",
    bug: "a page that ends forgets the tags that a removal has got meanwhile",
    file: "src/client/machine/outbox.ts",
    find: 'if (free.changed.length > 0) effects.push({ type: "restamped", writes: free.changed });',
    replace: "",
    killedBy: removals(OUTLIVES),
  },
  {
    name: "behind somebody else's number",
    bug: "a removal that was adopted waits for the numbers of the page that has left it",
    file: "src/client/persist/records.ts",
    find: '"behind" in one ? one.behind.flatMap((place) => ids[place] ?? []) : [];',
    replace: '"behind" in one ? one.behind : [];',
    killedBy: removals(OUTLIVES),
  },
  {
    name: "unseen tags removed",
    bug: "a client removes whatever the owner has of an element",
    file: "src/client/set.ts",
    find: "tags: tags.splice(0, TAGS_MAX) } as const;",
    replace: "tags: tags.splice(0, TAGS_MAX) && [] } as const;",
    killedBy: sets("a removal names the tags that this client has seen, and no others"),
  },
  {
    name: "later add removed with an earlier one",
    bug: "a removal that has waited names what was added after it",
    file: "src/client/set.ts",
    find: "const there = await this.#look(of);",
    replace: "const there = await this.#look(of);\n        adds.push(...this.#desk.addsOf(of));",
    killedBy: sets("a removal that has to ask for tags first takes no later add along"),
  },
];
