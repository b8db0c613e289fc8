import type { Turn } from "../node/turn.ts";
import type { Subscription, Subscriptions } from "./state.ts";

export const memoryOf = (turn: Turn): Subscriptions => turn.memory.subscriptions;

export function remember(turn: Turn, change: Partial<Subscriptions>): void {
  turn.setMemory({ subscriptions: { ...turn.memory.subscriptions, ...change } });
}

export function setSubscription(turn: Turn, name: string, next: Subscription): void {
  remember(turn, { subscriptions: turn.own(memoryOf(turn).subscriptions).set(name, next) });
}

/** Of all subscriptions. */
export function countReadings(turn: Turn, more: number): void {
  remember(turn, { readings: memoryOf(turn).readings + more });
}
