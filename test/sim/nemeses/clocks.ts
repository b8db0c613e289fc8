/** Clocks that are set while their objects run, within the bound that the cluster is built for and just at it. */
import { anybody, type Nemesis } from "./nemesis.ts";

export const CLOCKS: readonly Nemesis[] = [
  {
    name: "clocks set",
    share: 40,
    everyMs: 2_000,
    lastsMsMax: 1,
    strike: (victim) => {
      const { prng, faults, config } = victim;
      const { maxClockSkewMs: max } = config;
      const within = prng.below(2 * max + 1) - max;
      faults.setClock(anybody(victim), prng.pick([-max, within, max]));
      return () => {};
    },
  },
];
