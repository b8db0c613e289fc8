/** What keeps an idle cluster awake, or lets one that works wait: what `test/core/idle.test.ts` finds. */
import type { Mutant, Test } from "./mutant.ts";

const idle = (title: string): Test => ({ file: "test/core/idle.test.ts", title });

const RESTORED = "that was restored hardly ever wakes while it waits for one that is gone [I8]";
const COPY = "hardly ever asks a copy that nobody waits for, and soon once somebody writes [I8]";

export const IN_IDLE: readonly Mutant[] = [
  {
    name: "answers taken for returns",
    bug: "whoever answers its first question has everybody asked anew",
    file: "src/core/coordinator/reign.ts",
    find: "if (!lacked || !wasAway ||",
    replace: "if (!lacked ||",
    killedBy: idle(RESTORED),
  },
  {
    name: "the silent asked as ever",
    bug: "one that is gone for good is told its news every few seconds",
    file: "src/core/coordinator/turn.ts",
    find: "this.isSilent(nodeId) ? idleRetryMsMax : mostMs",
    replace: "mostMs",
    killedBy: idle(RESTORED),
  },
  {
    name: "orders wait out a pause",
    bug: "an order does not cut the pause before the voters are asked short",
    file: "src/core/coordinator/reign.ts",
    find: "of poll(turn.state, turn.now).silent) askSoon(turn, nodeId);\n  turn.setMemory({ parked",
    replace: "of []) askSoon(turn, nodeId);\n  turn.setMemory({ parked",
    killedBy: idle(
      "without a quorum hardly ever wakes, and obeys when it has one again [I8]: DEFAULTS",
    ),
  },
  {
    name: "no hurry",
    bug: "pauses that have grown while nobody worked are waited out when somebody does",
    file: "src/core/coordinator/reign.ts",
    find: "if (call !== null || turn.isSilent(from)) turn.hurry();",
    replace: "",
    killedBy: idle("is another matter: where somebody works, one that is back is asked soon [I8]"),
  },
  {
    name: "idle copies asked as ever",
    bug: "a copy that nobody waits for is sent the same every few seconds for ever",
    file: "src/core/partition/streams.ts",
    find: "isIdle(turn, partitionId, stream.to) ? idleRetryMsMax : retryMsMax",
    replace: "retryMsMax",
    killedBy: idle(COPY),
  },
  {
    name: "writes wait out a pause",
    bug: "what is written after a long silence is not sent before the pause has ended",
    file: "src/core/partition/spread.ts",
    find: "sooner(addDeltas(stream, rows, seq, turn.config), busyAt(turn))",
    replace: "addDeltas(stream, rows, seq, turn.config)",
    killedBy: idle(COPY),
  },
];
