/** What would go wrong if deletions were forgotten otherwise. */
import { FIRST_FORGETFUL } from "../sim/options.ts";
import type { Mutant, Test } from "./mutant.ts";

const collect = (title: string): Test => ({ file: "test/core/collect.test.ts", title });

export const IN_COLLECTION: readonly Mutant[] = [
  {
    name: "a copy collects on its own",
    bug: "a copy takes no deletion that is past the retention by its own clock",
    file: "src/core/partition/copy.ts",
    find: "const rows = [...chunk, ...deltas];",
    replace:
      "const rows = [...chunk, ...deltas].filter((row) => row.value !== null || !mayBeForgotten(turn, row));",
    killedBy: { checkers: ["I8", "I14"], seeds: 40, from: FIRST_FORGETFUL + 13 },
  },
  {
    name: "collected too early",
    bug: "what could still be undone by a write on its way is forgotten",
    file: "src/core/partition/collect.ts",
    find: "now - config.tombstoneRetentionMs - marginMs(config);",
    replace: "now - config.tombstoneRetentionMs;",
    killedBy: { checkers: ["R-collect"], seeds: 20, from: FIRST_FORGETFUL },
  },
  {
    name: "only copies collect",
    bug: "an owner tells its copies to forget what it keeps itself",
    file: "src/core/partition/collect.ts",
    find: 'turn.do({ type: "collect", partitionId, rows, tag });',
    replace: "onCollected(turn, tag, rows);",
    killedBy: { checkers: ["R-collect"], seeds: 20, from: FIRST_FORGETFUL },
  },
  {
    name: "holders not asked for",
    bug: "an owner collects whatever the coordinator answers",
    file: "src/core/partition/collect.ts",
    find: "if (!sole) return forgo(turn);",
    replace: "",
    killedBy: { checkers: ["R-collect", "I14"], seeds: 100, from: FIRST_FORGETFUL },
  },
  {
    name: "collected while a holder is left",
    bug: "the coordinator confirms without a look at struck nodes that have not dropped their rows",
    file: "src/core/coordinator/confirm.ts",
    find: "return isStill && !hasStrays(entry) && isSettled",
    replace: "return isStill && (!hasStrays(entry) || isStill) && isSettled",
    killedBy: collect("stays as long as a node is listed that may hold what was deleted [I14]"),
  },
  {
    name: "collected before the copies have it",
    bug: "the owner does not wait for a copy that lacks the deletion",
    file: "src/core/partition/collect.ts",
    find: "return isSame && stream.pending.length === 0 && (!then || reached(stream, then.seq));",
    replace: "return isSame && (stream.pending.length === 0 || reached(stream, stream.cut));",
    killedBy: collect("stays as long as a copy has not acknowledged it [I14]"),
  },
  {
    name: "offer older than the retention taken",
    bug: "whoever offers an old row is believed to be listed as a holder",
    file: "src/core/partition/adopt.ts",
    find: "return isHolder ? rows : rows.filter((row) => !mayBeForgotten(turn, row));",
    replace: "return isHolder || from ? rows : [];",
    killedBy: collect("brings back what it took since, and nothing older than the retention [I14]"),
  },
  {
    name: "late offer taken for a new one",
    bug: "an offer from before deletions were forgotten counts as one of a node struck since",
    file: "src/core/partition/adopt.ts",
    find: "const isHolder = isMember && (role.collected?.epoch ?? 0) < ruling.epoch;",
    replace: "const isHolder = isMember;",
    killedBy: collect(
      "is late where deletions were forgotten under that ruling: nothing of it is taken",
    ),
  },
  {
    name: "removal under way forgotten",
    bug: "an owner that restarts takes its copies for equal, though they may not have heard of a removal",
    file: "src/core/node/node.ts",
    find: "  compareUnsettled(turn);\n",
    replace: "",
    killedBy: collect("is compared where the copy may not have heard that it is removed"),
  },
  {
    name: "collected though it was written again",
    bug: "a row is removed by its name, whatever stands there now",
    file: "src/core/rows/gone.ts",
    find: "return stored && husk && isHuskOf(husk, stored.row) ? [stored.row] : [];",
    replace: "return stored && husk ? [stored.row] : [];",
    killedBy: { file: "test/scripts/scripts.test.ts", title: "deletion-collected.txt" },
  },
  {
    name: "old write passed on",
    bug: "a write that was held for longer than the retention goes to the next owner",
    file: "src/core/node/forward.ts",
    find: 'mayBeForgotten(turn, { kind: "lww", stamp });',
    replace: "turn.now < 0 && mayBeForgotten === undefined && stamp === null;",
    killedBy: collect(
      "is not passed on to its successor, and who sent it hears that nothing is known of it [I14, sim seed 510565]",
    ),
  },
];
