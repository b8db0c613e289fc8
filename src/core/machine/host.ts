/**
 * What a machine needs from wherever it runs. Two implementations exist, `DurableHost` and `SimHost`,
 * and one suite holds both to this contract.
 */
export interface Host<State, Event, Effect> {
  load(): State;

  /**
   * Carries out an effect on this host's own rows now, inside the transaction of the event, and
   * returns what came of it. `undefined`: not such an effect, it is for `perform`.
   */
  store(effect: Effect): readonly Event[] | undefined;

  /** Durable, together with all rows stored since `load`, before any `perform` is visible outside. */
  save(state: State): void;

  /** Best effort: a crash may lose it, so every effect must be safe to lose and to repeat. */
  perform(effect: Effect): void;

  /** Bring a `woke` event at about this time (ms since the epoch), also after a crash; null: no need. */
  arm(at: number | null): void;

  /** The same for as long as the state is in memory: a crash makes it forgotten. */
  tick(at: number | null): void;
}
