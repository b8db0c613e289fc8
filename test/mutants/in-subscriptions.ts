/** What a subscriber would miss, or be told twice. */
import { FIRST_WILD } from "../sim/options.ts";
import type { Mutant, Test } from "./mutant.ts";

const subscriber = (title: string): Test => ({
  file: "test/core/subscriptions/subscriptions.test.ts",
  title,
});

export const IN_SUBSCRIPTIONS: readonly Mutant[] = [
  {
    name: "gap taken for none",
    bug: "a node passes on what its owner tells it, whatever came before",
    file: "src/core/subscriptions/follow.ts",
    find: "since === told.since && from <= told.seq;",
    replace: "since === told.since;",
    killedBy: subscriber("shows as a gap, and is read"),
  },
  {
    name: "listeners not saved",
    bug: "an owner that has lost its memory tells nobody",
    file: "src/core/subscriptions/publish.ts",
    find: "turn.setSelf({ listeners: listens ? [...others, node] : others });",
    replace: "if (!listens) turn.setSelf({ listeners: others });",
    killedBy: subscriber(
      "with the memory of the owner: it asks who listened, and they say where they are",
    ),
  },
  {
    name: "positions of any owner compared",
    bug: "what an owner counts is taken for what the one before it counted",
    file: "src/core/subscriptions/read.ts",
    find: 'if (position.since !== told.since) return { type: "asked" };',
    replace: "",
    killedBy: { checkers: ["I17"], seeds: 10, from: FIRST_WILD },
  },
  {
    name: "up to date without what changed meanwhile",
    bug: "a client counts as up to date when it was read to the end",
    file: "src/core/subscriptions/read.ts",
    find: "setReading(turn, name, partitionId, { ...reading, position });\n  begin(turn, name, partitionId);",
    replace: "setReading(turn, name, partitionId, position && null);",
    killedBy: { checkers: ["I17"], seeds: 30, from: FIRST_WILD },
  },
  {
    name: "forgotten deletions not missed",
    bug: "a position from before a deletion was removed for good is served by what has changed since",
    file: "src/core/subscriptions/answer.ts",
    find: " || want.seq < collected;",
    replace: ";",
    killedBy: subscriber("that was away while a deletion was forgotten has not got it back"),
  },
  {
    name: "own writes told again",
    bug: "a writer is told what it has written itself",
    file: "src/core/subscriptions/read.ts",
    find: "isNamed(query, row) && row.stamp.node !== clientId",
    replace: "isNamed(query, row) && clientId !== row.key",
    killedBy: subscriber("is not told what it has written itself: its acknowledgement was that"),
  },
  {
    name: "socket remembered after a sleep",
    bug: "nobody asks the clients of a node that has lost its memory where they are",
    file: "src/core/node/node.ts",
    find: 'if (event.hasClients) turn.do({ type: "resync", only: null });',
    replace: "",
    killedBy: subscriber(
      "with the memory of the node that has the socket: its client is asked where it is",
    ),
  },
];
