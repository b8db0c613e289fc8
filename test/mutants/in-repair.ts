/** What a repair on demand would miss. */
import { FIRST_FORGETFUL } from "../sim/options.ts";
import type { Mutant, Test } from "./mutant.ts";

const repair = (title: string): Test => ({ file: "test/core/repair.test.ts", title });

export const IN_REPAIR: readonly Mutant[] = [
  {
    name: "nothing compared",
    bug: "an owner that is asked to compare says that it has",
    file: "src/core/partition/compare.ts",
    find: "if (stream) compareNow(turn, partitionId, stream);",
    replace: "void compareNow;",
    killedBy: { checkers: ["I8"], seeds: 30, from: FIRST_FORGETFUL },
  },
  {
    name: "repair pulls nothing",
    bug: "an owner sends what a copy lacks, and does not ask for what it lacks itself",
    file: "src/core/partition/stream.ts",
    find: 'return { step: "pull", after: null, buckets: task.buckets, pass: task.pass, asked: false };',
    replace: 'return { step: "mark", pass: task.pass };',
    killedBy: repair("gives an owner what it has lost, and what only a copy has"),
  },
  {
    name: "repair sends everything",
    bug: "all rows travel, whichever buckets differ",
    file: "src/core/partition/streams.ts",
    find: 'buckets: task.step === "repair" ? task.buckets : null,',
    replace: "buckets: null,",
    killedBy: repair("gives a copy what it has lost, and sends only the buckets that differ"),
  },
  {
    name: "repair waits for who is silent",
    bug: "a repair takes no end while a copy does not answer its owner",
    file: "src/core/partition/compare.ts",
    find: "isEqual(stream) || isSilent(turn.config, stream, turn.now)",
    replace: "isEqual(stream) || isSilent(turn.config, stream, 0)",
    killedBy: repair(
      "ends without a copy that its owner does not hear, takes nothing from it, and says so",
    ),
  },
  {
    name: "repair says that it compared who was silent",
    bug: "a partition counts as compared though a copy has not answered",
    file: "src/core/partition/compare.ts",
    find: "comparedAt(turn, partitionId).every(isEqual) ? 1 : 0;",
    replace: "comparedAt(turn, partitionId).every(isEqual) ? 1 : 1;",
    killedBy: repair(
      "ends without a copy that its owner does not hear, takes nothing from it, and says so",
    ),
  },
  {
    name: "repair asked for once",
    bug: "an owner that has been asked is taken for done",
    file: "src/core/coordinator/repair.ts",
    find: "said?.done !== true && isThere(id)",
    replace: "said === null && isThere(id)",
    killedBy: repair("is asked for until it is done: an owner that forgets it begins anew"),
  },
  {
    name: "asked on for twice",
    bug: "an owner asks on for each page that a copy shows it, for the same one that comes twice, too",
    file: "src/core/partition/owner.ts",
    find: "(after === null || task.after === null || compareIdentity(after, task.after) > 0);",
    replace: "(after === null || compareIdentity(after, after) === 0);",
    killedBy: repair("asks on once for what comes twice [I8]"),
  },
];
