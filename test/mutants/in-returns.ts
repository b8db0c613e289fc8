/** What would go wrong where a pause has grown whose reason is over. */
import type { Mutant, Test } from "./mutant.ts";

const returns = (title: string): Test => ({ file: "test/core/returns.test.ts", title });

export const IN_RETURNS: readonly Mutant[] = [
  {
    name: "told when the pause is over",
    bug: "a member that is heard again waits for as long as what it is told was lost before",
    file: "src/core/coordinator/watch.ts",
    find: "if (before.askedAt !== null || wakes) turn.askAgain(senderId);",
    replace: "if (wakes) turn.askAgain(senderId);",
    killedBy: returns(
      "is told as soon as it is heard again, however long it was silent [I8, sim seed 1154399]",
    ),
  },
  {
    name: "only who was missed is told",
    bug: "a member that slept and works again waits for as long as what it is told was lost before",
    file: "src/core/coordinator/watch.ts",
    find: "if (before.askedAt !== null || wakes) turn.askAgain(senderId);",
    replace: "void wakes;\n  if (before.askedAt !== null) turn.askAgain(senderId);",
    killedBy: returns(
      "is told as soon as it works again, if it was asleep and nobody missed it [I8, sim seed 1154399]",
    ),
  },
  {
    name: "told by a pause that grows",
    bug: "a member that is heard and hears nothing is told less and less often",
    file: "src/core/coordinator/turn.ts",
    find: "return this.#isHeard(to) ? heardPauseMs(this.config) : retryMsMax;",
    replace: "return this.#isHeard(to) ? retryMsMax : heardPauseMs(this.config);",
    killedBy: returns(
      "is told within two heartbeats of its hearing again, if it was heard all the time [I8]",
    ),
  },
  {
    name: "told at every answer",
    bug: "what is on its way to a member is sent once more when that says that it is there",
    file: "src/core/coordinator/turn.ts",
    find: "to !== nodeId || attempt === 0);",
    replace: "to !== nodeId || attempt < 0);",
    killedBy: returns("is not told twice when it was told just now [I8, sim seed 1154399]"),
  },
  {
    name: "passed on when the pause is over",
    bug: "a write waits for as long as an owner did not answer, though the next one is known",
    file: "src/core/node/hear.ts",
    find: "  followOwners(turn, changed);\n",
    replace: "  void followOwners;\n",
    killedBy: returns("goes to the next one as soon as that is known [I8]"),
  },
  {
    name: "passed on at every ruling",
    bug: "what an owner was asked just now goes to the next one, too, before it has answered",
    file: "src/core/node/forward.ts",
    find: "if (pending.retry.attempt > 0 && !pending.abroad &&",
    replace: "if (!pending.abroad &&",
    killedBy: returns("waits for its answer when it was passed on just now [I8]"),
  },
];
