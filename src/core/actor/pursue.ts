/** Time has passed: decisions that take too long are given up, and actors that nobody uses make room. */
import { makeError } from "../../protocol/errors.ts";
import type { Turn } from "../node/turn.ts";
import { isIdle, type Activation, type ActorName } from "./activation.ts";
import { forgetActivation, memoryOf, setActors } from "./actors.ts";
import { giveUp } from "./execute.ts";
import { DECISION_MS_MAX, goOn } from "./mailbox.ts";
import { nameOf, refused } from "./refusals.ts";
import { onRested } from "./route.ts";

export function pursueActors(turn: Turn): void {
  const { dueAt, partitions } = memoryOf(turn);
  if (dueAt > turn.now) return;
  setActors(turn, { dueAt: Infinity });
  let next = Infinity;
  for (const [partitionId, mine] of partitions)
    for (const [key, one] of mine) {
      const at = dueOf(turn, one);
      if (at <= turn.now) pursue(turn, { partitionId, key }, one);
      else next = Math.min(next, at);
    }
  // What was begun meanwhile has set its own.
  setActors(turn, { dueAt: Math.min(next, memoryOf(turn).dueAt) });
}

function dueOf({ config, now }: Turn, one: Activation): number {
  if (one.running) return one.running.since + DECISION_MS_MAX;
  return (isIdle(one) ? one.usedAt : now) + config.idleAfterMs;
}

function pursue(turn: Turn, name: ActorName, { of, running }: Activation): void {
  if (!running) return forgetActivation(turn, name);
  const facts = { ...nameOf(of), ms: DECISION_MS_MAX };
  giveUp(turn, name, refused(makeError("ACTOR_TIMED_OUT", facts)));
  goOn(turn, name);
  onRested(turn, name.partitionId);
}
