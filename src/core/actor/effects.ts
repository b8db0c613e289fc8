/**
 * What only the definition of an actor can say, carried out by a `Runner`, and the events that answer it: in the transaction
 * of the event that asked, unless a decision takes time. `tag` comes back untouched, but for its moment where it took time.
 */
import type { Of } from "../../data/row.ts";
import type { ErrorInfo } from "../../protocol/errors.ts";

export type ActorEffect<Tag> = ReplayEffect<Tag> | DecideEffect<Tag>;

export type ActorEvent<Tag> =
  | {
      readonly type: "replayed";
      readonly outcome: { readonly state: unknown } | { readonly error: ErrorInfo };
      readonly tag: Tag;
    }
  | { readonly type: "decided"; readonly outcome: Decided; readonly tag: Tag };

/** The state after these events. */
export interface ReplayEffect<Tag> {
  readonly type: "replay";
  readonly of: Of;
  /** From where: a state as it is in memory, one from a snapshot, or the initial one. */
  readonly from:
    | { readonly type: "initial" }
    | { readonly type: "state"; readonly state: unknown }
    | { readonly type: "snapshot"; readonly schemaVersion: number; readonly state: Uint8Array };
  /** Lists, as `encodeJson` makes them. */
  readonly events: readonly Uint8Array[];
  readonly tag: Tag;
}

export interface DecideEffect<Tag> {
  readonly type: "decide";
  readonly of: Of;
  readonly state: unknown;
  readonly version: number;
  readonly commandId: string | null;
  readonly command: Uint8Array;
  /** Entries since the last snapshot, this one included. */
  readonly sinceSnapshot: number;
  readonly nowMs: number;
  /** Nobody waits for it any longer. */
  readonly deadlineMs: number;
  /** Whose decisions wait for it, the outermost first. */
  readonly via: readonly Of[];
  readonly tag: Tag;
}

export type Decided =
  | {
      readonly type: "executed";
      readonly count: number;
      readonly events: Uint8Array;
      readonly reply: Uint8Array;
      readonly state: unknown;
      /** The state as bytes, when it is time for a snapshot; null if there can be none of it. */
      readonly frozen: { readonly schemaVersion: number; readonly state: Uint8Array | null } | null;
    }
  | { readonly type: "declined"; readonly refusal: string; readonly reason: string }
  /** Nothing came of it: the command may come again. */
  | { readonly type: "failed"; readonly error: ErrorInfo };
