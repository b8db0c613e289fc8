/** What follows one set or one counter. */
import type { Query } from "../protocol/subscription-messages.ts";
import type { Asks, Desk } from "./desk.ts";
import type { Host, KeptQuery } from "./host.ts";
import type { Listener, LiveView, Seen } from "./live-view.ts";
import type { Change, Of, Outcome, Write } from "./machine/ask.ts";
import type { Told } from "./told.ts";
import type { Untold, View, ViewChange, ViewKind, ViewPort } from "./view.ts";

/** A set or a counter. */
export interface Follower extends Seen {
  readonly of: Of;
  wrote(ask: Change): void;
  restamped(write: Write): void;
  settled(id: number, outcome: Outcome): void;
  /** Asks its owner about what nobody tells. */
  doubt(untold: Untold): Promise<void>;
}

export type Changed = (change: ViewChange) => void;

/** What is shown, by whom it is filled, and what of it was kept. */
export interface Followed<V extends Seen> {
  readonly make: (changed: (change: ViewChange) => void) => V;
  /** Asks its owner about what nobody tells. */
  readonly ask: (untold: Untold) => Promise<void>;
  readonly kept: KeptQuery | null;
}

/** What all that is followed has in common. */
export interface FollowerPort {
  readonly host: Pick<Host, "client">;
  readonly desk: Pick<Desk, "now"> & Pick<Asks, "ask">;
  /** Of all that this client has asked for and nobody has answered, in order of the calls. */
  pendingOf(map: string): readonly Change[];
  keptOf(query: Query): Promise<KeptQuery | null>;
  /** Throws where it is no query, or one too many. */
  follow<V extends Seen>(query: Query, listener: Listener, of: Followed<V>): LiveView<V>;
  viewOf(query: Query, kind: ViewKind, changed: ViewPort["changed"]): View;
  toldOf(query: Query): Told;
}
