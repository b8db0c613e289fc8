import type { Host } from "./host.ts";
import type { Machine } from "./step.ts";

/**
 * One event, start to end: decide, save, then speak. The order is the durability argument.
 *
 * Effects on rows answer with events of their own, decided in the same transaction. All is
 * synchronous: nothing else can happen between the first decision and the save.
 */
export function drive<State, Event, Effect>(
  machine: Machine<State, Event, Effect>,
  host: Host<State, Event, Effect>,
  event: Event,
): void {
  const outgoing: Effect[] = [];
  const events: Event[] = [event];
  let state = host.load();
  for (let next = events.shift(); next !== undefined; next = events.shift()) {
    const [after, effects] = machine.step(state, next);
    state = after;
    for (const effect of effects) {
      const results = host.store(effect);
      if (results) events.push(...results);
      else outgoing.push(effect);
    }
  }
  host.save(state);
  host.arm(machine.wakeAt(state));
  host.tick(machine.tickAt?.(state) ?? null);
  for (const effect of outgoing) host.perform(effect);
}
