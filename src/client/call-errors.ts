/** What a call is told that was given up, and which refusals leave no doubt. */
import type { GridErrorCode, GridErrorInfo } from "./errors.ts";
import type { Call } from "./machine/calls-state.ts";

const NOT_EXECUTED: ReadonlySet<GridErrorCode> = new Set<GridErrorCode>([
  "ACTOR_BUSY",
  "ACTOR_FAILED",
  "ACTOR_TIMED_OUT",
  "CREDIT_EXCEEDED",
  "NOT_OWNER",
]);

/** Whoever refuses it so has not executed it. */
export const isNotExecuted = ({ code }: GridErrorInfo): boolean => NOT_EXECUTED.has(code);

/** `isUnderWay`: nobody has answered the last frame that it was in. Of a question nothing is left to know. */
export function givenUp(call: Call, isUnderWay: boolean): GridErrorInfo {
  const { op, timeoutMs: ms, sure, refused } = call;
  const { map: actorType, key: actorId, commandId } = op;
  const who = `${actorType}/${actorId}`;
  if (commandId !== null && (isUnderWay || !sure))
    return {
      code: "OUTCOME_UNKNOWN",
      message: `nobody has said within ${ms} ms whether ${who} has executed it: the same commandId executes it once`,
      retry: "later",
      data: { actorType, actorId, commandId, ms },
    };
  if (refused) return refused.error;
  const message = `${who} has not answered within ${ms} ms`;
  return { code: "UNREACHABLE", message, retry: "later", data: { actorType, actorId, ms } };
}
