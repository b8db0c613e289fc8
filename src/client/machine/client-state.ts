/** What the client is made of, what may happen to it, and what it wants done. */
import type { Stamp } from "../../data/hlc.ts";
import type { ClusterId, NodeId } from "../../data/ids.ts";
import type { Asked, ClientQuestion, ServerMessage } from "../../protocol/client-messages.ts";
import type { AckLevel } from "../../protocol/ops.ts";
import type { GridErrorInfo } from "../errors.ts";
import type { Ask, Draft, Kept, Of, Settled, Write } from "./ask.ts";
import { beginOutbox, type Outbox } from "./outbox-state.ts";
import { beginRouter, type Mode, type Place, type Router } from "./router.ts";
import type { Moment, Session } from "./session.ts";

export interface Client {
  readonly settings: Settings;
  readonly router: Router;
  readonly outbox: Outbox;
  readonly lanes: ReadonlyMap<Place, Lane>;
  /** Of the last socket that was wanted. */
  readonly link: number;
  readonly nextId: number;
  /** Nothing is done any more. */
  readonly over: GridErrorInfo | null;
}

/** What is worth knowing of a grid before a node has answered. */
export interface KnownGrid {
  readonly partitionCount: number;
  /** Of the nodes' clock before this client's. */
  readonly aheadMs: number;
}

export interface Settings {
  readonly clientId: string;
  /** Under which it counts: of this life alone, since it knows no more of what an earlier one has counted. */
  readonly replicaId: string;
  readonly cluster: ClusterId;
  readonly mode: Mode;
  /** Operations that may be unsettled. */
  readonly outboxMax: number;
  readonly patienceMs: number;
  /** A node that leaves a frame without an answer for so long is taken for lost. */
  readonly answerMs: number;
}

/** The way to one place; each attempt has a link of its own, so that late words of an old socket are known as such. */
export interface Lane {
  readonly session: Session;
  readonly link: number | null;
}

export type ClientEvent = Moment &
  /** `known`: since this client, or another here, was connected last. Null: none ever was. */
  (
    | { readonly type: "begin"; readonly known: KnownGrid | null }
    | { readonly type: "read"; readonly key: ClientQuestion }
    | {
        readonly type: "write";
        readonly draft: Draft;
        readonly ttlMs: number | null;
        readonly ack: AckLevel;
        /** Of a removal: own adds that are not settled. */
        readonly behind?: readonly number[];
      }
    | (Of & { readonly type: "count"; readonly by: number; readonly ack: AckLevel })
    /**
     * What another client of this origin has left when it ended: a page that was reloaded or closed. It is sent as that one would
     * have sent it, once more if it was, under the stamp that it has: what was written since, here or elsewhere, stays newer.
     */
    | { readonly type: "adopt"; readonly kept: Kept }
    | { readonly type: "flush" }
    | { readonly type: "opened"; readonly link: number }
    | { readonly type: "heard"; readonly link: number; readonly message: ServerMessage }
    | { readonly type: "ponged"; readonly link: number }
    | { readonly type: "lost"; readonly link: number; readonly code: number }
    /** Of something that was told. */
    | { readonly type: "seen"; readonly stamp: Stamp }
    | { readonly type: "woke" }
    | { readonly type: "close" }
  );

export type Asking = "read" | "write" | "count" | "adopt";
const ASKING: readonly string[] = ["read", "write", "count", "adopt"] satisfies Asking[];

/** Does it bring an operation? Those of one go share frames. */
export const isAsking = <Event extends { readonly type: string }>(
  event: Event,
): event is Extract<Event, { readonly type: Asking }> => ASKING.includes(event.type);

export type ClientEffect =
  /** `node` null: to any. */
  | { readonly type: "connect"; readonly link: number; readonly node: NodeId | null }
  | { readonly type: "send"; readonly link: number; readonly message: Asked }
  | { readonly type: "ping"; readonly link: number }
  | { readonly type: "hang-up"; readonly link: number }
  /** What was asked last is in the outbox. */
  | { readonly type: "taken"; readonly ask: Ask }
  | { readonly type: "not-taken"; readonly error: GridErrorInfo }
  | { readonly type: "settled"; readonly all: readonly Settled[] }
  | { readonly type: "restamped"; readonly writes: readonly Write[] }
  /** A connection works, or does no more. */
  | { readonly type: "up" | "down"; readonly link: number }
  /** It is known how many partitions there are: operations can be asked for. */
  | { readonly type: "ready" }
  | { readonly type: "over"; readonly error: GridErrorInfo };

export const beginClient = (settings: Settings): Client => ({
  settings,
  router: beginRouter(settings.mode),
  outbox: beginOutbox(settings.clientId, settings.patienceMs),
  lanes: new Map(),
  link: 0,
  nextId: 0,
  over: null,
});
