/** Why a command was not executed. */
import type { Of } from "../../data/row.ts";
import type { Entry } from "../../protocol/journal.ts";
import { makeError, type ErrorInfo } from "../../protocol/errors.ts";
import type { ReadResult } from "../../protocol/ops.ts";

export const nameOf = ({ map, key }: Of): { actorType: string; actorId: string } => ({
  actorType: map,
  actorId: key,
});

export const refused = (error: ErrorInfo): ReadResult => ({ type: "refused", error });

/** What whoever sent the command is told, then and whenever it comes again. */
export function resultOf(of: Of, { outcome, version }: Entry): ReadResult {
  if (outcome.type === "executed") return { type: "reply", version, value: outcome.reply };
  const { refusal, reason } = outcome;
  if (refusal !== CONFLICT)
    return refused(makeError("COMMAND_REFUSED", { ...nameOf(of), refusal, reason }));
  const attempted = Number(reason);
  return refused(makeError("VERSION_CONFLICT", { ...nameOf(of), attempted, current: version }));
}

/** A refusal of ours, kept among those of actors: `reason` is the version that was expected. */
export const CONFLICT = "$version-conflict";
