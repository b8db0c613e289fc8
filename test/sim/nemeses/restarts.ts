/** Objects that lose their memory, and one that does not know that it was replaced. */
import { anybody, type Nemesis } from "./nemesis.ts";

export const RESTARTS: readonly Nemesis[] = [
  {
    name: "single crashes",
    share: 30,
    everyMs: 1_500,
    lastsMsMax: 1,
    strike: (victim) => {
      victim.crash(anybody(victim));
      return () => {};
    },
  },
  {
    name: "rolling restarts",
    share: 30,
    everyMs: 6_000,
    lastsMsMax: 1,
    strike: ({ prng, nodes, later, crash }) => {
      const pauseMs = 20 + prng.below(600);
      for (const [i, id] of ["coordinator" as const, ...nodes()].entries())
        later(i * pauseMs, () => crash(id));
      return () => {};
    },
  },
  {
    name: "second coordinators",
    share: 35,
    everyMs: 3_000,
    lastsMsMax: 6_000,
    strike: ({ secondCoordinator }) => secondCoordinator(),
  },
];
