/** What breaks terms, detection and failover. */
import { failover, forced, orders, reign, stamp, successor, type Mutant } from "./mutant.ts";

export const IN_REIGN: readonly Mutant[] = [
  {
    name: "forgotten copy kept",
    bug: "a restored coordinator answers the owner of a copy that it has forgotten by the ruling that it has",
    file: "src/core/coordinator/moves.ts",
    find: "turn.rule(partitionId, { owner, copies }, { holders: [...new Set([...holders, nodeId])] });",
    replace: "",
    killedBy: {
      file: "test/core/forgotten-moves.test.ts",
      title: "leaves nothing when its copy asks to be complete [I7, I8]",
    },
  },
  {
    name: "forgotten copy not asked to drop",
    bug: "a restored coordinator does not list a copy that it has forgotten among those who hold rows",
    file: "src/core/coordinator/moves.ts",
    find: "{ holders: [...new Set([...holders, nodeId])] });",
    replace: "{ holders });",
    killedBy: {
      file: "test/core/forgotten-moves.test.ts",
      title: "leaves nothing when its owner asks to be freed from its copy [I7, I8]",
    },
  },
  {
    name: "an order taken for a forced one",
    bug: "a node is drained at the operator's word, whoever has answered",
    file: "src/core/coordinator/reign.ts",
    find: 'message.type === "CLAIM_PARTITION" ||',
    replace: 'message.type === "CLAIM_PARTITION" || message.type === "DRAIN_NODE" ||',
    killedBy: {
      file: "test/core/quorum-writes.test.ts",
      title: "DRAIN_NODE: saved with a quorum, and without one not",
    },
  },
  {
    name: "who has left is told for ever",
    bug: "an operator cannot say that a node that has left is destroyed",
    file: "src/core/coordinator/members.ts",
    find: "if (!member && !(force && departed.includes(nodeId)))",
    replace: "if (!member)",
    killedBy: failover(
      "has who left and was destroyed before it heard so told no more [I8, sim seed 100076]",
    ),
  },
  {
    name: "adopted copies stay",
    bug: "a restored coordinator keeps every copy that it hears of for a backup that is wanted",
    file: "src/core/coordinator/restored.ts",
    find: "complete.slice(0, turn.config.backupCount)",
    replace: "complete",
    killedBy: { world: "a restored coordinator", invariants: ["I8"] },
  },
  {
    name: "first change taken for there",
    bug: "the change that opens the stream to a complete copy counts as acknowledged",
    file: "src/core/partition/streams.ts",
    find: 'const has = upToDate ? (saved.after === "end" ? saved.cut : Seq(0)) : seq;',
    replace: "const has = seq;",
    killedBy: {
      file: "test/core/unreplicated-tail.test.ts",
      title:
        "the write that opens the stream to a backup, and never gets there, is offered by its returned owner [I6]",
    },
  },
  {
    name: "answers of another clock counted",
    bug: "what was answered before the coordinator's clock was set back counts as lately for long",
    file: "src/core/coordinator/reign.ts",
    find: "if (now < turn.memory.now) turn.setMemory({ answered: new Map() });",
    replace: "void [turn, now];",
    killedBy: reign(
      "answers of before the coordinator's clock was set back count no more [I9, sim seed 900181]",
    ),
  },
  {
    name: "later write of the request left behind",
    bug: "what a clock set back has stamped too early is stamped again alone, above what its request wrote after it",
    file: "src/core/node/serve.ts",
    find: "if (again.has(name)) found.add(i);",
    replace: "if (isBehind) found.add(i);",
    killedBy: stamp(
      "and so is a later write in the same request, which stands over it [R-later-write, sim seed 900238]",
    ),
  },
  {
    name: "forced orders wait",
    bug: "an order by force waits behind one that waits for a quorum",
    file: "src/core/coordinator/reign.ts",
    find: "  !isForced(message) &&\n",
    replace: "",
    killedBy: forced("a partition is claimed all the same"),
  },
  {
    name: "evicted node not told",
    bug: "a node that was evicted and is there goes on as if it had not been",
    file: "src/core/coordinator/members.ts",
    find: "if (isEvicted(turn, heartbeat.senderId)) return tellEvicted(turn, heartbeat, call);",
    replace: "void [isEvicted, tellEvicted];",
    killedBy: forced("and slept: what it acknowledges until it hears appears at the new owner"),
  },
  {
    name: "copy struck in doubt",
    bug: "a complete copy goes while its owner does not answer",
    file: "src/core/coordinator/moves.ts",
    find: "(!isFreed || turn.isInDoubt(ruling))",
    replace: "!isFreed",
    killedBy: successor(
      "keeps a copy that is complete, whatever was asked of it while its owner is in doubt [I15, sim seed 901050]",
    ),
  },
  {
    name: "doubt only by the view",
    bug: "an owner that is leaving and does not answer is taken for one that does",
    file: "src/core/coordinator/turn.ts",
    find: "return suspectAt !== null || this",
    replace: "return this",
    killedBy: successor(
      "keeps it also while an owner that is leaving does not answer [I15, sim seed 131045]",
    ),
  },
  {
    name: "unheard partition taken for new",
    bug: "a node that hears of a partition for the first time takes its copies for empty",
    file: "src/core/node/hear.ts",
    find: 'const digest = ruling.fresh ? NOTHING : "";',
    replace: 'const digest = turn.partition(ruling.partitionId).ruling.epoch === 0 ? NOTHING : "";',
    killedBy: successor(
      "and taken over by a copy that has heard of no ruling before is compared with the others [I6]",
    ),
  },
  {
    name: "lost partition given to anybody",
    bug: "a restored coordinator gives a partition that nobody owns to whoever is there",
    file: "src/core/coordinator/failover.ts",
    find: "else if (!state) giveAway(turn, partitionId);",
    replace: "else giveAway(turn, partitionId);",
    killedBy: successor(
      "goes to that owner, and to nobody else, where a restored coordinator finds nobody named [I6]",
    ),
  },
  {
    name: "claimed from nobody",
    bug: "whoever has rows of a partition that is claimed is listed no more",
    file: "src/core/coordinator/failover.ts",
    find: `const holders = [...new Set([...entry.holders, nodeId])];
  const wantedBackups`,
    replace: `const holders = [nodeId, ...copies.map((copy) => copy.nodeId)];
  const wantedBackups`,
    killedBy: forced(
      "gets what these two acknowledge as backed up until they hear so [I6, sim seed 160165]",
    ),
  },
  {
    name: "leaving forgotten with the node",
    bug: "a node that was to leave and was given up is a member like any other when it is back",
    file: "src/core/coordinator/members.ts",
    find: "const leaves = leaving.includes(nodeId);",
    replace: "const leaves = leaving.length > 1e9;",
    killedBy: orders(
      "to leave holds for a node that was given up meanwhile: it leaves when it is back [I11]",
    ),
  },
  {
    name: "moved to who is drained",
    bug: "an operator's move to a node that is being drained is accepted",
    file: "src/core/coordinator/operator.ts",
    find: "    notTaking(turn, to) ??\n",
    replace: "",
    killedBy: orders("moves no partition to a node that is being drained"),
  },
  {
    name: "own later write stamped over",
    bug: "of two writes in one request that are passed on the first is stamped above the second",
    file: "src/core/node/forward.ts",
    find: "return !ops.some(isLater);",
    replace: "return !ops.some(isLater) || true;",
    killedBy: {
      file: "test/core/later-write.test.ts",
      title: "and so it does where the owner has stored something between the two [R-later-write]",
    },
  },
  {
    name: "loser of a former owner acknowledged",
    bug: "what an old owner has stamped and its follower has overtaken by its own clock is not stamped again",
    file: "src/core/node/forward.ts",
    find: "return !ops.some(isLater);",
    replace: "return ops.some(isLater) && false;",
    killedBy: {
      file: "test/core/later-write.test.ts",
      title:
        "a write at an old owner, after an answer of the new one, stands over it by any clock [R-later-write]",
    },
  },
  {
    name: "incomplete copy promoted",
    bug: "whoever has some of the rows takes the place of a lost owner",
    file: "src/core/coordinator/failover.ts",
    find: 'copies.filter(({ state }) => state === "complete").map(({ nodeId }) => nodeId);',
    replace: "copies.map(({ nodeId }) => nodeId);",
    killedBy: failover(
      "leaves a partition without a complete copy to nobody, until it is back [I6]",
    ),
  },
  {
    name: "dormant node suspected",
    bug: "the silence of a node that has nothing to do counts",
    file: "src/core/coordinator/watch.ts",
    find: "detector = dormant ? detector.forget(senderId) : detector.heartbeat(senderId, turn.now);",
    replace: "detector = detector.heartbeat(senderId, turn.now);",
    killedBy: failover("that said it is dormant is not suspected, however long it is silent [I8]"),
  },
  {
    name: "a restored coordinator rules at once",
    bug: "a majority is enough for a coordinator that knows less than its nodes",
    file: "src/core/coordinator/quorum.ts",
    find: "return state.memory.leading && unheard.length === 0 && hasQuorum(state, now);",
    replace: "return state.memory.leading && unheard.length < 1_000 && hasQuorum(state, now);",
    killedBy: reign("rules on nothing until every member has answered, a majority is not enough"),
  },
  {
    name: "higher epochs not adopted",
    bug: "a restored coordinator keeps the rulings that it has",
    file: "src/core/coordinator/restored.ts",
    find: "if (!isNewer(turn, ruling)) continue;",
    replace: "if (entries.has(ruling.partitionId)) continue;",
    killedBy: reign("rules on nothing until every member has answered, a majority is not enough"),
  },
  {
    name: "silent copy not missed",
    bug: "an owner asks a copy for ever that does not answer, and tells nobody",
    file: "src/core/node/beat.ts",
    find: "if ((retry?.attempt ?? 0) >= ASKED_IN_VAIN) silent.add(to);",
    replace: "void [retry, to];",
    killedBy: failover("while it sleeps is missed by the owner whose copy it keeps [I8]"),
  },
  {
    name: "said though never saved",
    bug: "of two rulings in one commit both are spoken, though only the last is saved",
    file: "src/core/coordinator/turn.ts",
    find: "return ruling.epoch > epoch ? {",
    replace: "return ruling.epoch < epoch ? {",
    killedBy: orders(
      "are one to everybody who hears of them: what was never saved is not said [I16, sim seed 102864]",
    ),
  },
];
