/**
 * Nodes that are destroyed with all that they held. An operator, who knows, may claim what is lost with them, and some
 * time later evicts them by force.
 */
import type { NodeId } from "../../../src/data/ids.ts";
import { claimOf } from "../operator.ts";
import type { Nemesis, Victim } from "./nemesis.ts";

/** Of the others so many are left to go on. */
const OTHERS_MIN = 2;
const ORDER_EVERY_MS = 300;

/** Members that hold something, or may. */
function mortals({ nodes, ruled }: Victim): readonly NodeId[] {
  const { view, entries } = ruled();
  if (entries.size === 0) return [];
  const there = view.members.filter(({ nodeId }) => nodes().includes(nodeId));
  const active = there.filter(({ state }) => state === "active").map(({ nodeId }) => nodeId);
  const ids = there.filter(({ state }) => state !== "joining").map(({ nodeId }) => nodeId);
  return ids.filter((id) => active.filter((other) => other !== id).length >= OTHERS_MIN);
}

/** Until it is heard: an order may be lost. Who had just left and not heard so is to be forgotten, too. */
function evict(victim: Victim, nodeId: NodeId): void {
  const { view, cluster } = victim.ruled();
  const isMember = view.members.some((member) => member.nodeId === nodeId);
  if (!isMember && !cluster?.departed.includes(nodeId)) return;
  victim.operate({ type: "LEAVE_REQUEST", nodeId, force: true });
  victim.later(ORDER_EVERY_MS, () => evict(victim, nodeId));
}

/** As long as `isMissed`. */
function claim(victim: Victim, isMissed: () => boolean): void {
  victim.later(ORDER_EVERY_MS, () => {
    if (!isMissed()) return;
    const order = victim.prng.chance(0.9) ? claimOf(victim.prng, victim.ruled()) : null;
    if (order) victim.operate(order);
    claim(victim, isMissed);
  });
}

export const LOSSES: readonly Nemesis[] = [
  {
    name: "nodes destroyed for ever",
    share: 40,
    everyMs: 4_000,
    lastsMsMax: 12_000,
    strike: (victim) => {
      const ids = mortals(victim);
      if (ids.length === 0) return null;
      const id = victim.prng.pick(ids);
      victim.destroy(id);
      let isMissed = true;
      claim(victim, () => isMissed);
      return () => {
        isMissed = false;
        evict(victim, id);
      };
    },
  },
];
