/** Objects that neither work nor crash: they stand still, or wait for their disk. */
import { anybody, type Nemesis } from "./nemesis.ts";

export const STALLS: readonly Nemesis[] = [
  {
    name: "pauses of a node",
    share: 35,
    everyMs: 3_000,
    lastsMsMax: 4_000,
    strike: ({ prng, faults, nodes }) => {
      const all = nodes();
      return all.length > 0 ? faults.pause(prng.pick(all)) : null;
    },
  },
  {
    name: "pauses of the coordinator",
    share: 30,
    everyMs: 4_000,
    lastsMsMax: 4_000,
    strike: ({ faults }) => faults.pause("coordinator"),
  },
  {
    name: "slow disks",
    share: 35,
    everyMs: 3_000,
    lastsMsMax: 5_000,
    strike: (victim) => {
      const { prng, faults } = victim;
      return faults.slow(anybody(victim), 5 + prng.below(prng.chance(0.2) ? 400 : 60));
    },
  },
];
