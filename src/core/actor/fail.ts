/** An actor that cannot be had: whoever waits for it is told why, and whoever comes next looks again. */
import type { ErrorInfo } from "../../protocol/errors.ts";
import { settle } from "../node/pending.ts";
import type { Turn } from "../node/turn.ts";
import type { Activation, ActorName, Call } from "./activation.ts";
import { activation, forgetActivation } from "./actors.ts";
import { refused } from "./refusals.ts";

export function fail(turn: Turn, name: ActorName, error: ErrorInfo): void {
  const one = activation(turn, name);
  forgetActivation(turn, name);
  if (!one) return;
  for (const { id, index } of callsOf(one)) settle(turn, id, [index], [refused(error)]);
}

/** In their order: decided and not told, being decided, waiting. */
export const callsOf = ({ outcomes, running, mailbox }: Activation): readonly Call[] => [
  ...[...outcomes].map(({ call }) => call),
  ...(running ? [running.call] : []),
  ...mailbox,
];
