/**
 * What an application writes: how an actor decides, and what its events do to its state. `decide` says what happens, and is
 * run once for each command; `evolve` says what that means, and is run again whenever the actor wakes up anywhere.
 */

/** State, events, commands and replies are JSON and byte arrays. What `evolve` is given it must not change. */
export interface ActorDefinition<State, Command, Event, Reply = null> {
  /** Before the first event. */
  readonly initial: State;
  readonly decide: (
    state: State,
    command: Command,
    context: CommandContext,
  ) => Decision<Event, Reply> | Promise<Decision<Event, Reply>>;
  /** Pure: the same events make the same state, today and in ten years. */
  readonly evolve: (state: State, event: Event) => State;
  /** Entries between two snapshots, from 1; left out: 100. */
  readonly snapshotEvery?: number;
  /** Of the state, from 1: to be raised when its shape changes; left out: 1. */
  readonly schemaVersion?: number;
  /** A state of an earlier schema as one of today; without it such snapshots are not used. */
  readonly upgrade?: (state: unknown, schemaVersion: number) => State;
}

export interface CommandContext {
  readonly actorType: string;
  readonly actorId: string;
  /** Whatever a decision asks of others under this name is recognised when it is asked again. null: a question. */
  readonly commandId: string | null;
  /** Events so far. */
  readonly version: number;
  /** The clock of the owner, ms since 1970. `decide` needs no other. */
  readonly nowMs: number;
}

export type Decision<Event, Reply> = Accepted<Event, Reply> | Refusal;

export interface Accepted<Event, Reply> {
  readonly events: readonly Event[];
  /** Left out: null. */
  readonly reply?: Reply;
}

/** The command is done with: it is answered so however often it comes, and leaves no event. */
export interface Refusal {
  readonly refusal: string;
  readonly reason?: string;
}

/** `refusal`: a name of 1 to 128 bytes that callers decide by; `reason`: a sentence for people. */
export const refuse = (refusal: string, reason = ""): Refusal => ({ refusal, reason });

/** As nobody but its runner sees it. */
export type AnyActor = ActorDefinition<unknown, unknown, unknown, unknown>;

/** By the name of their type, which is the `:type` of `/v1/actors/:type/:id`. */
export type Actors = Readonly<Record<string, AnyActor>>;

/** The definition as it is, with its types; several make the `actors` of `godwit({ actors })`. */
export function defineActor<State, Command, Event, Reply = null>(
  definition: ActorDefinition<State, Command, Event, Reply>,
): AnyActor {
  // What it is given comes out of its own events, and commands are checked by whoever declares their type.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nobody else reads the parameters
  return definition as unknown as AnyActor;
}
