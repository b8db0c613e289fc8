/** Commands for actors as a client writes them, and what they have to keep to. */
import { integerProblem, textProblem, type Problem } from "./checks.ts";
import type { CallResult, ClientCall } from "./client-messages.ts";
import { COMMAND_ID_BYTES_MAX } from "./limits.ts";
import type { OpResult, ReadResult } from "./ops.ts";

export const commandIdProblem = (id: unknown): Problem | null =>
  id === null ? null : textProblem(id, 1, COMMAND_ID_BYTES_MAX);

export const versionProblem = (version: unknown): Problem | null =>
  version === null ? null : integerProblem(version, 0, Number.MAX_SAFE_INTEGER);

export const packClientCall = (call: ClientCall): unknown[] => [
  call.map,
  call.key,
  call.commandId,
  call.expectedVersion,
  call.command,
];

export const isCallResult = (result: OpResult | ReadResult): result is CallResult =>
  result.type === "reply" || result.type === "refused";
