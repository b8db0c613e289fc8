/**
 * What an application writes: how an actor decides, and what its events do to its state. `decide` says what happens, and is
 * run once for each command; `evolve` says what that means, and is run again whenever the actor wakes up anywhere.
 */

import type { ErrorCode, ErrorInfo } from "../../protocol/errors.ts";

/** State, events, commands and replies are JSON and byte arrays. What `evolve` is given it must not change. */
export interface ActorDefinition<State, Command, Event, Reply = null> {
  /** Before the first event. */
  readonly initial: State;
  readonly decide: (
    state: State,
    command: Command,
    context: CommandContext & Others,
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
  /** null: a question. */
  readonly commandId: string | null;
  /** Events so far. */
  readonly version: number;
  /** The clock of the owner, ms since 1970. `decide` needs no other. */
  readonly nowMs: number;
  /** A decision that is not there by then is given up, and its command refused; ms since 1970. */
  readonly deadlineMs: number;
  /** Whose decision waits for this one; null: the command comes from outside. */
  readonly caller: ActorAddress | null;
}

export interface ActorAddress {
  readonly actorType: string;
  readonly actorId: string;
}

/**
 * What a decision may ask of the grid, in an async `decide`. Each rejects with a `CallError`; one that a decision lets pass is
 * what its own command is refused with, if it may help to ask again later, and `ACTOR_FAILED` if not.
 */
export interface Others {
  /**
   * Its reply. However often this decision is made, its nth call is executed once: so calls must come in the same order each
   * time. CALL_CYCLE: that actor waits for this one; CALLS_TOO_DEEP; COMMAND_REFUSED with `data.refusal`, as to anybody.
   */
  readonly call: (actorType: string, actorId: string, command: unknown) => Promise<unknown>;
  /** A question, also from one. */
  readonly ask: (actorType: string, actorId: string, question: unknown) => Promise<unknown>;
  readonly map: (name: string) => MapOfOthers;
}

/** Entries of a map. A write is made again when its decision is: at least once. */
export interface MapOfOthers {
  /** undefined: there is none. */
  readonly get: (key: string) => Promise<unknown>;
  /** `ttl` in ms; left out: it stays. */
  readonly set: (key: string, value: unknown, options?: { readonly ttl?: number }) => Promise<void>;
  readonly delete: (key: string) => Promise<void>;
}

/** Why another actor, or a map, was of no help. */
export class CallError extends Error {
  override readonly name = "CallError";
  readonly info: ErrorInfo;

  constructor(info: ErrorInfo) {
    super(info.message);
    this.info = info;
  }

  get code(): ErrorCode {
    return this.info.code;
  }

  get data(): ErrorInfo["data"] {
    return this.info.data;
  }
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
