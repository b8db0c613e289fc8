/**
 * Everything that decides is a machine: state and one event in, state and effects out.
 *
 * A machine never awaits, throws on bad input, reads a clock or draws a random number. What it
 * needs from the world arrives inside the event; what it wants from the world leaves as an effect.
 * So a run is reproducible from its events alone.
 */
type Step<State, Event, Effect> = (state: State, event: Event) => Next<State, Effect>;

export type Next<State, Effect> = readonly [state: State, effects: readonly Effect[]];

/** A step, and when it wants to be woken at the latest (ms since the epoch; null: never). */
export interface Machine<State, Event, Effect> {
  readonly step: Step<State, Event, Effect>;
  readonly wakeAt: (state: State) => number | null;
  /** The same for what a crash may make forgotten: costs no alarm. */
  readonly tickAt?: (state: State) => number | null;
}
