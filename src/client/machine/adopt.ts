/**
 * What another client of this origin has left when it ended: a page that was reloaded or closed. It is sent as that one would
 * have sent it, once more if it was, under the stamps that it has: what was written since, here or elsewhere, stays newer.
 */
import type { AdoptedAsk, Kept } from "./ask.ts";
import type { Client } from "./client-state.ts";
import { withAsked } from "./outbox-state.ts";
import { passed } from "./writer-clock.ts";

/** `kept`: in the order of that one's calls. */
export function adopted(
  state: Client,
  kept: readonly Kept[],
  now: number,
): { readonly client: Client; readonly asks: readonly AdoptedAsk[] } {
  let { outbox, nextId } = state;
  const asks = kept.map((one): AdoptedAsk => ({ ...one, id: nextId++ }));
  for (const ask of asks) {
    const { op } = ask;
    const clock = "stamp" in op ? passed(outbox.clock, op.stamp, now) : outbox.clock;
    outbox = withAsked({ ...outbox, clock }, ask);
  }
  return { client: { ...state, outbox, nextId }, asks };
}
