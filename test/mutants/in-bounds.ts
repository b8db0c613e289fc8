/** What lets more in than may, or does what nobody waits for. */
import { bound, failover, rule, type Mutant } from "./mutant.ts";

export const IN_BOUNDS: readonly Mutant[] = [
  {
    name: "map asked for without credit",
    bug: "any number of FETCH_MAPs is answered",
    file: "src/core/node/clients.ts",
    find: "(asks ? full : null) ?? taken.take(socket, ops);",
    replace: "(asks ? full : null) ?? (ops.length > 0 ? taken.take(socket, ops) : null);",
    killedBy: bound(
      "in questions for the map, which count like any other frame of those that come together",
    ),
  },
  {
    name: "bytes unbounded",
    bug: "as many operations may wait as there are, however large",
    file: "src/core/node/credit.ts",
    find: "return bytes > pendingBytesMax ?",
    replace: "return bytes > 1_000_000_000 * pendingBytesMax ?",
    killedBy: bound(
      "refuses what is beyond, from sockets, nodes and the front, and takes it when the rest is done",
    ),
  },
  {
    name: "values that wait unbounded",
    bug: "what a request has read here is kept, however much, while it waits for another node",
    file: "src/core/node/pending.ts",
    find: "if (others + bytes > max)",
    replace: "if (others < 0)",
    killedBy: {
      file: "test/core/node/forward.test.ts",
      title: "keeps values waiting only as far as there is room for them",
    },
  },
  {
    name: "frames kept for their rows",
    bug: "a row that a copy lacks keeps all of the frame that it came in",
    file: "src/core/partition/spread.ts",
    find: "const alone = !value ||",
    replace: "const alone = row.value !== undefined || !value ||",
    killedBy: bound("keeps of a frame no more than what a copy lacks"),
  },
  {
    name: "copies waited for one by one",
    bug: "however much all copies lack together, only those of one are looked at",
    file: "src/core/partition/spread.ts",
    find: "if (2 * turn.memory.credits.bytes > pendingBytesMax) return true;",
    replace: "",
    killedBy: bound("lets writers wait for all copies before it refuses any"),
  },
  {
    name: "term of an invitation forgotten",
    bug: "who was invited believes any coordinator that knows nothing of it",
    file: "src/core/node/join.ts",
    find: "      term,\n      incarnation:",
    replace: "      incarnation:",
    killedBy: rule(
      "who was invited is not turned away by an older coordinator [I1, sim seed 100077]",
    ),
  },
  {
    name: "given up and not answered",
    bug: "the question of a dead node is left open, which keeps both in memory",
    file: "src/core/coordinator/members.ts",
    find: "if (call === null) turn.send(nodeId, news);\n  else turn.answer(call, news);",
    replace: "turn.send(nodeId, news);",
    killedBy: failover(
      "is answered when it says that it is there: nobody is kept waiting for ever [I8]",
    ),
  },
  {
    name: "suspicion outlives a join",
    bug: "who joins again is given up for the silence of its life before",
    file: "src/core/coordinator/members.ts",
    find: "    onReturn(turn, nodeId);\n",
    replace: "",
    killedBy: failover(
      "leaves as soon as it is back, when it was asked to while it joined again [I7, I11]",
    ),
  },
  {
    name: "inbox without end",
    bug: "frames are let in whatever waits of their socket",
    file: "src/objects/waiting.ts",
    find: "if (frames > CREDIT_FRAMES)",
    replace: "if (frames > 1_000_000)",
    killedBy: {
      file: "test/objects/waiting.test.ts",
      title: "takes a socket's credit of frames, and refuses the next by the name of the bound",
    },
  },
  {
    name: "pushed to nobody",
    bug: "a node without clients arms wakes for pushes of the map",
    file: "src/core/node/map-push.ts",
    find: "if (!map.audience) return skip(turn);",
    replace: "",
    killedBy: {
      file: "test/core/node/map-push.test.ts",
      title:
        "none is made or planned where nobody listens; who comes then is told all, and is pushed what follows",
    },
  },
  {
    name: "what a copy lacks is forgotten with its stream",
    bug: "a stream that is opened anew counts nothing of what the one before it had not got through",
    file: "src/core/partition/stream.ts",
    find: "const owedBytes = isKnown(known, seq) ? 0 : owed;",
    replace: "const owedBytes = isKnown(known, seq) ? 0 : owed * 0;",
    killedBy: bound(
      "lacks no more of what is acknowledged for that, and gets all of it in the end",
    ),
  },
];
