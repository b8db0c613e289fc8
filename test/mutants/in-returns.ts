/** What would go wrong where a pause has grown whose reason is over. */
import type { Mutant, Test } from "./mutant.ts";

const returns = (title: string): Test => ({ file: "test/core/returns.test.ts", title });

export const IN_RETURNS: readonly Mutant[] = [
  {
    name: "told when the pause is over",
    bug: "a member that is heard again waits for as long as what it is told was lost before",
    file: "src/core/coordinator/turn.ts",
    find: "if (at < retry.at) this.#retry(",
    replace: "if (at < retry.at - Infinity) this.#retry(",
    killedBy: returns(
      "is told soon after it is heard again, however long it was silent [I8, sim seed 1154399]",
    ),
  },
  {
    name: "told by a pause that grows",
    bug: "a member that is heard and hears nothing is told less and less often",
    file: "src/core/coordinator/turn.ts",
    find: "this.#isHeard(nodeId) ? heardPauseMs(this.config) : retryMsMax;",
    replace: "this.#isHeard(nodeId) ? retryMsMax : heardPauseMs(this.config);",
    killedBy: returns(
      "is told within two heartbeats of its hearing again, if it was heard all the time [I8]",
    ),
  },
];
