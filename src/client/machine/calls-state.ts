/** What is known of commands for actors that are not answered yet, what may happen to them, and what is wanted done. */
import { partitionOf } from "../../data/hash.ts";
import type { Version } from "../../data/ids.ts";
import type {
  Call as CallMessage,
  CallResult,
  ClientCall,
} from "../../protocol/client-messages.ts";
import type { ErrorInfo } from "../../protocol/errors.ts";
import type { Reply } from "../../protocol/ops.ts";
import type { GridErrorInfo } from "../errors.ts";
import type { Client } from "./client-state.ts";
import type { Named } from "./named.ts";
import { NOWHERE, type Place, type Routes } from "./router.ts";
import type { Moment } from "./session.ts";

export interface Calls {
  readonly settings: CallSettings;
  /** That are not settled. */
  readonly size: number;
  /** Of the next frame. */
  readonly seq: number;
  /** Of each actor that something is asked of: what is to be done first, and what waits for that. */
  readonly actors: Named<ActorLine>;
  /** Actors whose first call may go out as soon as there is a way, in the order in which they came to that. */
  readonly ready: readonly string[];
  readonly resting: readonly { readonly until: number; readonly name: string }[];
  readonly flights: ReadonlyMap<number, CallFlight>;
  /** No call is to be given up before that. */
  readonly dueAt: number;
  /** Nothing is done any more. */
  readonly over: GridErrorInfo | null;
}

interface CallSettings {
  /** Of this life alone: it begins the ids of commands. */
  readonly replicaId: string;
  readonly outboxMax: number;
  readonly answerMs: number;
}

export interface ActorLine {
  readonly first: Call;
  /** The frame that it is under way in; null: none. */
  readonly seq: number | null;
  readonly behind: readonly Call[];
}

export interface Call {
  readonly id: number;
  readonly op: ClientCall;
  readonly bytes: number;
  /** When it is given up, and how long that was from the call. */
  readonly deadline: number;
  readonly timeoutMs: number;
  /** Nobody can have executed it: it was never sent, or each answer said so. */
  readonly sure: boolean;
  /** Refusals in a row, and the last of them. */
  readonly refused: { readonly times: number; readonly error: GridErrorInfo } | null;
  /** Version of the map by which it was last sent after its owner. */
  readonly redirectedAt: Version | null;
}

export interface CallFlight {
  readonly link: number;
  readonly place: Place;
  readonly sentMs: number;
  readonly calls: readonly { readonly name: string; readonly id: number }[];
}

/** Where calls can go now. */
export interface Ways {
  readonly routes: Routes;
  readonly links: ReadonlyMap<Place, Way>;
}

export interface Way {
  readonly link: number;
  /** Of the operations that may be under way there, what others leave. */
  readonly creditOps: number;
}

export type CallsEvent = Moment & { readonly ways: Ways } & (
    | {
        readonly type: "called";
        readonly id: number;
        /** `commandId` undefined: it is given one here; null: a question. */
        readonly call: Omit<ClientCall, "commandId"> & {
          readonly commandId: string | null | undefined;
        };
        readonly timeoutMs: number;
      }
    /** What was called goes out; there may be other ways. */
    | { readonly type: "flush" }
    | { readonly type: "unlinked"; readonly link: number }
    | {
        readonly type: "answered";
        readonly link: number;
        readonly seq: number;
        readonly replies: readonly CallResult[];
      }
    /** Nothing of that frame was taken. */
    | {
        readonly type: "refused";
        readonly link: number;
        readonly seq: number;
        readonly error: ErrorInfo;
      }
    | { readonly type: "woke" }
    | { readonly type: "close"; readonly error: GridErrorInfo }
  );

export type CallsEffect =
  | { readonly type: "send"; readonly link: number; readonly message: CallMessage }
  | { readonly type: "settled"; readonly id: number; readonly outcome: CallOutcome }
  /** A node sends back what the map sends to it. */
  | { readonly type: "astray"; readonly link: number }
  /** A node has not answered for so long that it is taken for lost. */
  | { readonly type: "silent"; readonly link: number };

export type CallOutcome = Reply | { readonly type: "refused"; readonly error: GridErrorInfo };

/** Frames of operations have lower numbers, and so have those of subscriptions: an answer is to one of them. */
const FIRST_SEQ = 2 ** 41;

export const beginCalls = (settings: CallSettings): Calls => ({
  settings,
  size: 0,
  seq: FIRST_SEQ,
  actors: new Map(),
  ready: [],
  resting: [],
  flights: new Map(),
  dueAt: Infinity,
  over: null,
});

/** Over connections that work, as the client's machine has them. */
export function waysOf({ lanes, outbox }: Pick<Client, "lanes" | "outbox">): Ways {
  const links = new Map<Place, Way>();
  for (const [place, { session, link }] of lanes) {
    if (session.type !== "live" || link === null) continue;
    const { creditOps = 0, opsUnderWay = 0 } = outbox.lines.get(place) ?? {};
    links.set(place, { link, creditOps: (creditOps ?? 0) - opsUnderWay });
  }
  return { routes: outbox.routes, links };
}

export function placeOfCall({ places }: Routes, { op }: Call): Place {
  if (places.length === 0) return NOWHERE;
  return places[partitionOf(op.key, places.length)] ?? NOWHERE;
}
