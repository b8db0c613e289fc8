/** What would go wrong around nodes of which a restored coordinator knows nothing, or too little. */
import type { Mutant, Test } from "./mutant.ts";

const forgotten = (title: string): Test => ({ file: "test/core/forgotten-nodes.test.ts", title });

export const IN_FORGOTTEN: readonly Mutant[] = [
  {
    name: "ghost left alone",
    bug: "a node that is no member is told so only if this storage has given it its name",
    file: "src/core/coordinator/members.ts",
    find: "  !cluster.departed.includes(nodeId) && !view",
    replace: "  cluster.usedIds.includes(nodeId) && !cluster.departed.includes(nodeId) && !view",
    killedBy: forgotten("is told, and offers what it has [I8]"),
  },
  {
    name: "ghost waited for by its name",
    bug: "a node that came and went has the name of one that was invited, which never comes",
    file: "src/core/coordinator/members.ts",
    find: 'if (member.host === "") return inviteAnother(turn, senderId);',
    replace: 'if (member.host === "") return;',
    killedBy: forgotten("is taken for nobody who was invited by its name since [I8]"),
  },
  {
    name: "news overheard",
    bug: "only a grant shows that this storage is a copy of earlier",
    file: "src/core/coordinator/reign.ts",
    find: "  else onNews(turn, from, message);\n",
    replace: "  else void onNews;\n",
    killedBy: forgotten(
      "shows that all must be asked, before anything is ruled by those who have not [I2]",
    ),
  },
  {
    name: "later ruling overheard",
    bug: "only a heartbeat or a grant shows that this storage is a copy of earlier",
    file: "src/core/coordinator/restored.ts",
    find: 'return "partitionId" in message && "epoch" in message && isNewer(turn, message);',
    replace: 'return "ruling" in message && "epoch" in message && isNewer(turn, message);',
    killedBy: forgotten("or of a later ruling on a partition, shows the same"),
  },
  {
    name: "who is no member waited for",
    bug: "nothing is ruled until a node has granted that has left, and never will",
    file: "src/core/coordinator/restored.ts",
    find: 'return type === "HEARTBEAT" && !turn',
    replace: "return type !== null && !turn",
    killedBy: forgotten(
      "is not waited for: it says that it has dropped a partition, under a ruling that nobody else has heard of, and grants nothing [I8]",
    ),
  },
  {
    name: "who joins again is never given up",
    bug: "a member that joins again and is destroyed keeps what it owned",
    file: "src/core/coordinator/watch.ts",
    find: 'voters(state).filter((member) => member.state !== "dead");',
    replace: 'voters(state).filter((member) => !["dead", "joining"].includes(member.state));',
    killedBy: forgotten("and is destroyed before it has, has a successor where it was owner [I8]"),
  },
  {
    name: "joins when the pause is over",
    bug: "a node that joins again waits for as long as its requests were lost, though it is spoken to",
    file: "src/core/node/node.ts",
    find: 'if (from === "coordinator" && error.code === "NOT_A_MEMBER") askToJoinSoon(turn);',
    replace: "void askToJoinSoon;",
    killedBy: forgotten(
      "is one as soon as it can be, however long its requests were lost [I8, sim seed 1146495]",
    ),
  },
  {
    name: "joins at every word",
    bug: "a node that has just asked to join asks once more whenever it is spoken to",
    file: "src/core/node/join.ts",
    find: "(turn.memory.joinRetry?.attempt ?? 0) > 0",
    replace: "turn.memory.joinRetry",
    killedBy: {
      file: "test/core/rules.test.ts",
      title:
        "who waits to join asks again when the coordinator asks it for anything, but not when it has just asked [I8, sim seed 1146495]",
    },
  },
];
