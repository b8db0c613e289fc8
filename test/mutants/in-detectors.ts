/** What tells a silent node from one that is gone. */
import type { Mutant, Test } from "./mutant.ts";

const detector = (title: string): Test => ({ file: "test/core/detector/detector.test.ts", title });
const RISES = detector(
  "has a phi rising monotonically with the silence, up to years of it, and never infinite",
);

export const IN_DETECTORS: readonly Mutant[] = [
  {
    name: "suspicion without a tail",
    bug: "phi is the logarithm of what a distribution function leaves of 1, which is soon nothing",
    file: "src/core/detector/tail.ts",
    find: "  return -logUpper(z) / Math.LN10;",
    replace: "  return -Math.log10((1 - erf(Math.min(z, 6))) / 2);",
    killedBy: RISES,
  },
  {
    name: "suspicion learns from failures",
    bug: "a pause that was a failure counts as one that is usual for the node",
    file: "src/core/detector/arrivals.ts",
    find: "const kept = interval > window.maxNoHeartbeatMs ? [] : [interval];",
    replace: "const kept = [interval];",
    killedBy: detector("does not learn from a pause that was a failure"),
  },
  {
    name: "suspicion on a hair trigger",
    bug: "a node whose pauses were all alike is suspected for one that is a little longer",
    file: "src/core/detector/phi.ts",
    find: "Math.max(deviation, minStdDevMs)",
    replace: "Math.max(deviation, minStdDevMs / 1_000)",
    killedBy: detector("takes a node for dead after long silence, and for alive until then"),
  },
];
