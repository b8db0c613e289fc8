/**
 * What another client of this origin has left when it ended: a page that was reloaded or closed. It is sent as that one would
 * have sent it, once more if it was, and before all that is asked for from now on.
 */
import { partitionOf } from "../../data/hash.ts";
import { bytesOf, type AdoptedAsk, type Kept } from "./ask.ts";
import type { Client } from "./client-state.ts";
import { withAsked } from "./outbox-state.ts";
import { passed, restamp, type WriterClock } from "./writer-clock.ts";

/** `kept`: in the order of that one's calls. What no node can have seen is stamped by this client's clock. */
export function adopted(
  state: Client,
  kept: readonly Kept[],
  now: number,
): { readonly client: Client; readonly asks: readonly AdoptedAsk[] } {
  const asks: AdoptedAsk[] = [];
  let { outbox, nextId } = state;
  for (const one of kept) {
    const partitionId = partitionOf(one.op.key, state.router.partitionCount);
    const common = { id: nextId++, partitionId, refused: null, redirectedAt: null };
    const [clock, said] = saidHere(outbox.clock, one, now);
    const ask: AdoptedAsk = { ...common, ...said, bytes: bytesIn(said) };
    asks.push(ask);
    outbox = withAsked({ ...outbox, clock }, ask);
  }
  return { client: { ...state, outbox, nextId }, asks };
}

function saidHere(clock: WriterClock, kept: Kept, now: number): readonly [WriterClock, Kept] {
  if (!("ttlMs" in kept)) return [clock, kept];
  if (kept.exposed) return [passed(clock, kept.op.stamp, now), kept];
  const [next, op] = restamp(clock, kept, now);
  return [next, { ...kept, op }];
}

function bytesIn({ op }: Kept): number {
  if ("stamp" in op) return bytesOf(op, op.stamp.node, op);
  return bytesOf(op, op.replica ?? "", null);
}
