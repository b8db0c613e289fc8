/** How an actor is called, and what it answers. */

export interface AskOptions {
  /** Only if the actor has had so many events, else VERSION_CONFLICT. */
  readonly expectedVersion?: number;
  /** After that it is given up; 30 s. What was sent may be executed all the same: OUTCOME_UNKNOWN. */
  readonly timeoutMs?: number;
}

export interface CallOptions extends AskOptions {
  /**
   * Under one id a command is executed once, and its repeats are answered alike: for whoever may have to call again, also after a
   * reload. 1 to 128 bytes; drawn where it is left out.
   */
  readonly commandId?: string;
}

export interface Replied<Reply> {
  readonly reply: Reply;
  /** Events that the actor has had, those of this command among them. */
  readonly version: number;
}
