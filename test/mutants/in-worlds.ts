/** Which mutants the model checker finds, too: in which world, and what is broken there first. */
import type { World } from "./mutant.ts";

export const IN_WORLDS: Readonly<Record<string, World>> = {
  "no quorum check": { world: "a coordinator cut off", invariants: ["I9"] },
  "answers of long ago counted": { world: "a coordinator cut off", invariants: ["I9"] },
  "no epoch check": { world: "a move", invariants: ["I4"] },
  "overwrite instead of merge": { world: "a delay", invariants: ["I14"] },
  "ack before the copies": { world: "a move", invariants: ["I5"] },
  "ack backup before the copies": { world: "a backup is made", invariants: ["I6"] },
  "source kept active": { world: "a move", invariants: ["I2"] },
  "epoch used twice": { world: "a move", invariants: ["I8"] },
  "rollback forgets its marker": { world: "a move", invariants: ["I7"] },
  "ready without comparing": { world: "a move", invariants: ["I5"] },
  "active before its view": { world: "a move", invariants: ["I10"] },
  "table version given out twice": { world: "a move", invariants: ["I12"] },
  "ack before durable": { world: "stamps with a crash", invariants: ["R-later-write"] },
  "a restored coordinator rules at once": {
    world: "a restored coordinator",
    invariants: ["I4"],
  },
  "first change taken for there": { world: "a backup takes over", invariants: ["I6"] },
  "an ack counts for more": { world: "a move", invariants: ["I5"] },
  "nothing sent again": { world: "a loss", invariants: ["I8"] },
  "ready not saved": { world: "a crash", invariants: ["I5"] },
  "loser of a former owner acknowledged": {
    world: "a clock ahead at the target",
    invariants: ["R-later-write"],
  },
};
