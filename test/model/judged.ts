import type { Invariant } from "../sim/checkers.ts";
import type { World } from "./world.ts";

/** What is judged in a world at least once where it could have been wrong; everything else only may be. */
export function judgedIn({ seen, asked, budget }: World): readonly Invariant[] {
  const judged: Invariant[] = ["I4", "I6", "I7", "I8", "I9", "I10", "I14"];
  const moves = seen.some((mark) => mark.endsWith("finalizing"));
  if (moves) judged.push("I2", "I5", "R-parallel");
  if (moves || seen.some((mark) => mark.includes("member"))) judged.push("I12");
  if (asked.some(({ type }) => type === "front")) judged.push("R-later-write");
  if (budget.stale > 0) judged.push("I1");
  return judged;
}
