/** What an application holds. */
import type { Mutant, Test } from "./mutant.ts";

const outbox = (title: string): Test => ({ file: "test/client/outbox.test.ts", title });
const counters = (title: string): Test => ({ file: "test/client/counters.test.ts", title });
const sets = (title: string): Test => ({ file: "test/client/set.test.ts", title });

export const IN_CLIENT: readonly Mutant[] = [
  {
    name: "another node's ack",
    bug: "an answer settles the frame of that number, whichever node it went to",
    file: "src/client/machine/outbox.ts",
    find: "const flight = line.flights.get(seq);",
    replace:
      "const flight = [...state.lines.values()].map(({ flights }) => flights.get(seq)).find((one) => one);",
    killedBy: outbox(
      "an answer counts for the frame that it names, at the node that gives it, over the connection it came by",
    ),
  },
  {
    name: "sent again, stamped anew",
    bug: "what a node may have is stamped again when the clock turns out to be wrong",
    file: "src/client/machine/outbox-state.ts",
    find: "isWrite(ask) && !ask.exposed ? { ...ask, exposed: true } : ask;",
    replace: "isWrite(ask) && ask.exposed ? { ...ask, exposed: true } : ask;",
    killedBy: outbox("goes out again under the same stamps, and may be anywhere from then on"),
  },
  {
    name: "unseen tags removed",
    bug: "a client removes whatever the owner has of an element",
    file: "src/client/set.ts",
    find: "value: bytes, tags: some }",
    replace: "value: bytes, tags: some && null }",
    killedBy: sets("a removal names the tags that this client has seen, and no others"),
  },
  {
    name: "later add removed with an earlier one",
    bug: "a removal that has waited names what was added after it",
    file: "src/client/set.ts",
    find: "if (tags.length === 0) tags.push",
    replace: "tags.push(...element.tags.values());\n      if (tags.length === 0) tags.push",
    killedBy: sets(
      "a removal of its own add waits for the tag that a node has, and takes no later add along",
    ),
  },
  {
    name: "counted twice",
    bug: "what went along with a total waits on, and is added again",
    file: "src/client/machine/counters.ts",
    find: "Queue.of(more.slice(riders.length));",
    replace: "Queue.of(more.slice(0));",
    killedBy: counters(
      "has one total of a counter under way; what is added meanwhile goes out in one, and each is settled",
    ),
  },
  {
    name: "refused, and counted",
    bug: "an increment that was refused is in every total after it",
    file: "src/client/machine/counters.ts",
    find: "isUndone ? takenBack(known.said, counting) : known.said;",
    replace: "isUndone ? known.said : known.said;",
    killedBy: counters(
      "takes back with the next total what was refused, as it may stand all the same",
    ),
  },
];
