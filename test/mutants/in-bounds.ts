/** What lets more in than may, or does what nobody waits for. */
import { bound, failover, flow, rule, type Mutant } from "./mutant.ts";

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
    name: "crowded owner asked at once",
    bug: "an owner that has no room is asked again for each request by itself, at once",
    file: "src/core/node/forward.ts",
    find: "partition(refused, (i) => isCrowded(its[i]))",
    replace: "partition(refused, (i) => i < 0 && isCrowded(its[i]))",
    killedBy: {
      file: "test/core/node/forward.test.ts",
      title: "waits where its owner has no room, is asked for once more together, and then refused",
    },
  },
  {
    name: "unread by each alone",
    bug: "any number of clients that say nothing may have as much unread as one",
    file: "src/core/node/flow.ts",
    find: "if (!says && allUnread > NODE_UNREAD_BYTES_MAX",
    replace: "if (!says && allUnread < 0",
    killedBy: flow(
      "that never says what it has is given up sooner where all have too much, and no other is",
    ),
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
    name: "answer to an earlier join",
    bug: "a node that joins again is a member by an answer to the join before",
    file: "src/core/node/join.ts",
    find: "incarnation === turn.self.incarnation,\n  );\n\n/** Only a newer",
    replace: "incarnation > 0,\n  );\n\n/** Only a newer",
    killedBy: rule(
      "an answer to an earlier join, which comes late, makes nobody a member [I4, seed 1000001]",
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
    find: "  onReturn(turn, nodeId);\n",
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
    find: "unackedBytes: sizeOf(pending),",
    replace: "unackedBytes: 0,",
    killedBy: bound(
      "lacks no more of what is acknowledged for that, and gets all of it in the end",
    ),
  },
  {
    name: "forwarded ops unbounded",
    bug: "a node at its bound takes whatever other nodes and the front pass on",
    file: "src/core/node/node.ts",
    find: "const error = overloaded(turn, sizeOf(ops));",
    replace: "const error = overloaded(turn, { ops: -Infinity, bytes: -Infinity });",
    killedBy: bound("refuses one more of each kind by name and bound, and applies nothing of it"),
  },
  {
    name: "credit never given back",
    bug: "what has been answered still counts as waiting",
    file: "src/core/node/credit.ts",
    find: "tally(turn, request, -1);",
    replace: "",
    killedBy: bound(
      "acknowledges all of it once the copy has it, and then takes what it had refused",
    ),
  },
  {
    name: "a receipt for anything believed",
    bug: "a client may say that it has more than it was sent, and is sent any amount then",
    file: "src/core/node/flow.ts",
    find: "received > flow.sent || ",
    replace: "",
    killedBy: flow("has read no more than it was sent, and what it once had it has"),
  },
  {
    name: "patience without end",
    bug: "a client that has stopped reading is never given up for that",
    file: "src/core/node/flow.ts",
    find: "return stalledMs > SOCKET_STALLED_MS_MAX",
    replace: "return stalledMs > Infinity",
    killedBy: flow("is given up when it is full and no receipt of anything new comes for long"),
  },
  {
    name: "owed map forgotten",
    bug: "what was not pushed to a full socket is not made good when it has room",
    file: "src/core/node/clients.ts",
    find: "  pushOwed(turn, socket);\n",
    replace: "",
    killedBy: flow("that makes room brings what is owed of the map, to that socket alone"),
  },
  {
    name: "asked again is held again",
    bug: "each time that a node asks again for what waits for a copy, it waits once more",
    file: "src/core/node/node.ts",
    find: "if (from !== null && joins(turn, from, forwardId, call)) return;",
    replace: "",
    killedBy: bound("is answered, each time that it asked, and what it asked for counts once"),
  },
];
