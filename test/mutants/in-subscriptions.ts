/** What a subscriber would miss, or be told twice. */
import { FIRST_WILD } from "../sim/options.ts";
import type { Mutant, Test } from "./mutant.ts";

const subscriber = (title: string): Test => ({
  file: "test/core/subscriptions/subscriptions.test.ts",
  title,
});

const inSets = (title: string): Test => ({ file: "test/core/subscriptions/sets.test.ts", title });

export const IN_SUBSCRIPTIONS: readonly Mutant[] = [
  {
    name: "who lacks nothing is told nothing",
    bug: "a client that was cut off before it heard that it had all waits for that for ever",
    file: "src/core/subscriptions/read.ts",
    find: "if (!reading || WORDLESS.has(reading.step.type)) tell(turn, name);",
    replace: "",
    killedBy: {
      file: "test/core/subscriptions/subscriptions.test.ts",
      title: "that comes back and lacks nothing is told so, and so is one about no keys at all",
    },
  },
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
    find: 'if (position.since !== told.since) return { type: "unasked" };',
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
    name: "pages of several moments taken for one",
    bug: "a client that was read several pages counts as where its owner was at the first, and is told what is older than the last",
    file: "src/core/subscriptions/read.ts",
    find: "after === null && start.seq === seq ? start : null;",
    replace: "after === null && seq >= 0 ? start : null;",
    killedBy: subscriber("is not told then what is older than a page: deleted [sim seed 1033276]"),
  },
  {
    name: "pages of another owner forgotten",
    bug: "a client that was given some pages of an owner which is none any more counts as where it was before them",
    file: "src/core/subscriptions/read.ts",
    find: "step.start.since !== part.since)\n    compare(turn",
    replace: "step.start.since !== part.since)\n    begin(turn",
    killedBy: {
      file: "test/core/subscriptions/owners-lost.test.ts",
      title: "are asked anew where another is heard of while what they had is read",
    },
  },
  {
    name: "asked in vain, told nothing",
    bug: "who asks an owner for what it does not own is told nothing of what it owns, either",
    file: "src/core/subscriptions/publish.ts",
    find: "if (owned.length > 0) listenTo(turn, from, true);",
    replace: "listenTo(turn, from, owned.length > 0);",
    killedBy: subscriber(
      "with a ruling: who asks an owner for what it does not own is told of the rest all the same [sim seed 1300041]",
    ),
  },
  {
    name: "an interest lost to an older word",
    bug: "a word from before an interest, that nobody listens, ends it",
    file: "src/core/subscriptions/publish.ts",
    find: "if (interestOf(turn, from, map, partitionId) < n) loseInterest",
    replace: "if (n > 0) loseInterest",
    killedBy: subscriber(
      "not so an interest, by a word from before it: that nobody listens there [sim seed 1000156]",
    ),
  },
  {
    name: "an answer to any question",
    bug: "that an owner said it would tell counts although it has lost its memory since",
    file: "src/core/subscriptions/follow.ts",
    find: "if (n < (open.get(partitionId) ?? -Infinity)) continue;",
    replace: "",
    killedBy: subscriber(
      "not so a question, by an answer to one from before the owner lost its memory [sim seed 1030305]",
    ),
  },
  {
    name: "an answer overtaken by a change",
    bug: "who is told of a change before the owner has answered waits for the next one",
    file: "src/core/subscriptions/follow.ts",
    find: "told?.since === since && told.seq > seq ? told.seq : seq;",
    replace: "told === undefined ? seq : seq;",
    killedBy: subscriber("an answer that a change has overtaken is one all the same"),
  },
  {
    name: "a question for each owner that changes",
    bug: "a client is asked what it has before it has answered what it was asked before",
    file: "src/core/subscriptions/read.ts",
    find: 'if (inStep("asked").length > 0) return [];',
    replace: "",
    killedBy: {
      file: "test/core/subscriptions/owners-lost.test.ts",
      title:
        "whose client has not answered a question is asked no other: its credit is for a few frames",
    },
  },
  {
    name: "what waits joined over reigns",
    bug: "what waited to be told when an owner lost a partition is told with its first changes when it gets it back, after what others wrote meanwhile",
    file: "src/core/subscriptions/publish.ts",
    find: "before?.since === part.since",
    replace: "before !== undefined",
    killedBy: {
      file: "test/core/subscriptions/owners-lost.test.ts",
      title:
        "are not told of with what waits since the owner was owner before: deleted [sim seed 1114691]",
    },
  },
  {
    name: "an owner asked for each partition",
    bug: "who follows many partitions that get another owner asks it for each of them",
    file: "src/core/node/hear.ts",
    find: "changed.add(ruling.partitionId);",
    replace: "ownersChanged(turn, new Set([ruling.partitionId]));",
    killedBy: {
      file: "test/core/subscriptions/owners-lost.test.ts",
      title: "are asked for together where one node takes many over",
    },
  },
  {
    name: "an interest of a stranger",
    bug: "an owner takes note of what a node wants to hear that it has not heard of, and forgets it with the node",
    file: "src/core/subscriptions/publish.ts",
    find: "isMember(turn, from) ? partitionIds",
    replace: "isMember(turn, turn.me) ? partitionIds",
    killedBy: subscriber("nor one of a node that the owner has not heard of yet"),
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
    name: "own writes not told",
    bug: "a writer has a position, and not what it has written before that itself",
    file: "src/core/subscriptions/read.ts",
    find: "rows.filter((row) => isNamed(query, row)),",
    replace: 'rows.filter((row) => isNamed(query, row) && row.stamp.node !== "me"),',
    killedBy: subscriber("is told what it has written itself like anybody else, once"),
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
  {
    name: "elements that never fitted told as gone",
    bug: "of what does not fit a filter it is told that it is gone, also where it can never have been there",
    file: "src/core/subscriptions/filter.ts",
    find: 'row.kind === "lww" ? [{ ...row, value: null }] : [];',
    replace: 'row.kind !== "pn" ? [{ ...row, value: null }] : [];',
    killedBy: inSets(
      "a filter is about elements and entries: of a count, and of what never fitted, nobody is told",
    ),
  },
  {
    name: "sets of named keys read again",
    bug: "where it goes on behind a key, an owner reads what is behind the first row of that key again",
    file: "src/core/rows/fetch.ts",
    find: "found.rows.at(-1) ?? after ?? firstOf(wanted.map, key)",
    replace: "isEnd ? firstOf(wanted.map, key) : (found.rows.at(-1) ?? firstOf(wanted.map, key))",
    killedBy: inSets("of some keys is given each row of their sets once, in few messages"),
  },
  {
    name: "where to go on lost among journals",
    bug: "an owner goes on behind what it told, and reads what it may not tell again and again",
    file: "src/core/rows/fetch.ts",
    find: "return { rows, after: isEnd ? null : identityOf(last) };",
    replace: "return { rows: rows.filter(isOfMap), after: isEnd ? null : identityOf(last) };",
    killedBy: {
      file: "test/core/rows/fetch.test.ts",
      title: "is every row of the map that was asked for once, in order, and each page goes on",
    },
  },
  {
    name: "journals told",
    bug: "whoever follows a map is told of the journals of actors whose type is called so",
    file: "src/core/subscriptions/publish.ts",
    find: " && isOfMap(row));",
    replace: ' && (isOfMap(row) || row.kind === "event"));',
    killedBy: {
      file: "test/core/subscriptions/journals.test.ts",
      title: "nor of what somebody offers of it, beside what is told",
    },
  },
  {
    name: "as many maps as are asked for",
    bug: "nobody counts the partitions that a node follows",
    file: "src/core/subscriptions/subscribe.ts",
    find: "followedBeside(turn, map) + partitions",
    replace: "partitions",
    killedBy: {
      file: "test/core/subscriptions/bounds.test.ts",
      title:
        "a node follows as many partitions of maps as it may, and refuses one map more by name",
    },
  },
  {
    name: "RESYNC paid for by the map",
    bug: "what is owed of subscriptions is forgotten when the map is pushed",
    file: "src/objects/sockets.ts",
    find: 'owed: owed || now.subscribed === "owed" };',
    replace: "owed };",
    killedBy: {
      file: "test/objects/sockets.test.ts",
      title: "a push of the map pays for the map alone: a RESYNC is owed until it is written",
    },
  },
];
