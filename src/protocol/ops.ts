/**
 * Operations on entries, sets and counters, and what becomes of each. The same shapes serve nodes and HTTP; a client's are
 * made into these where they enter.
 */
import type { Count } from "../data/count.ts";
import type { Stamp } from "../data/hlc.ts";
import type { Of, Row } from "../data/row.ts";
import type { ErrorInfo } from "./errors.ts";
import { TAG_BYTES } from "./limits.ts";

export type Op = Change | Question | ActorOp;

export type Change = WriteOp | MergeOp | AddOp | RemoveOp | IncrementOp;
export type Question = ReadOp | MembersOp | TotalOp;

/** A put (`value`) or a delete (`value: null`) of one LWW entry. */
export interface WriteOp extends Of {
  readonly type: "write";
  /** null: the owner stamps it, standing in for the caller (HTTP). */
  readonly stamp: Stamp | null;
  readonly value: Uint8Array | null;
  /** ms since the epoch; null: never. */
  readonly expiresAt: number | null;
}

/** Rows of a set or a counter that somebody has made already: merged twice they are merged once. */
export interface MergeOp extends Of {
  readonly type: "merge";
  /** Of this key. Of a counter: of one replica. */
  readonly rows: readonly Row[];
}

/** Of an element to a set, under a tag that whoever takes it makes (HTTP). */
interface AddOp extends Of {
  readonly type: "add";
  readonly value: Uint8Array;
  readonly expiresAt: number | null;
}

/** Of an element from a set: of all adds of it that its owner knows of by then. */
export interface RemoveOp extends Of {
  readonly type: "remove";
  readonly stamp: Stamp | null;
  readonly value: Uint8Array;
}

/** The owner adds so much to what it has counted itself (HTTP). Said twice it is counted twice. */
export interface IncrementOp extends Of, Count {
  readonly type: "increment";
}

export interface ReadOp extends Of {
  readonly type: "read";
}

/** What a set has: elements above `after`, which an answer before this one gave. */
export interface MembersOp extends Of {
  readonly type: "members";
  readonly after: string | null;
  readonly limit: number;
}

export interface TotalOp extends Of {
  readonly type: "total";
}

/** Both in their order with the others of that actor. */
export type ActorOp = CallOp | EventsOp;

/** What has happened to an actor: entries of its journal from this number on. */
export interface EventsOp extends Of {
  readonly type: "events";
  readonly from: number;
  readonly limit: number;
}

/** A command for an actor, whose type is the map and whose id is the key. */
export interface CallOp extends Of {
  readonly type: "call";
  /** Under one id it is executed once, however often it comes. null: a question, which may leave no event. */
  readonly commandId: string | null;
  /** Only if the actor has had so many events; null: whatever it has had. */
  readonly expectedVersion: number | null;
  /** As `encodeJson` makes it. */
  readonly command: Uint8Array;
  /** The actors whose decisions wait for it, the outermost first; left out: it comes from outside. */
  readonly via?: readonly Of[];
}

export type OpResult =
  /** Durable as the winner (or was so already). */
  | { readonly type: "stored"; readonly stamp: Stamp }
  /** Durable, but a newer write stands: `stamp` is the winner's. */
  | { readonly type: "superseded"; readonly stamp: Stamp }
  | { readonly type: "refused"; readonly error: ErrorInfo };

export type ReadResult =
  /** `value` null: absent, deleted or expired. */
  | { readonly type: "value"; readonly value: Uint8Array | null; readonly stamp: Stamp | null }
  | {
      readonly type: "members";
      readonly members: readonly SetMember[];
      /** To go on; null: those were the last. */
      readonly after: string | null;
    }
  | ({ readonly type: "total" } & Count)
  | Reply
  | { readonly type: "refused"; readonly error: ErrorInfo };

/** What an actor has answered, and how many events it had had then. */
export interface Reply {
  readonly type: "reply";
  readonly version: number;
  /** As `encodeJson` makes it. */
  readonly value: Uint8Array;
}

/** An element, and the tags of its adds: who removes it names those. */
export interface SetMember {
  readonly value: Uint8Array;
  readonly tags: readonly Stamp[];
}

/**
 * When a write is acknowledged: when its owner has it on disk, or when every complete copy has it, too. Then it
 * survives the loss of its owner for ever.
 */
export type AckLevel = "owner" | "backup";

export const isQuestion = (op: Op): op is Question =>
  op.type === "read" || op.type === "members" || op.type === "total";

export const isChange = (op: Op): op is Change => !isForActor(op) && !isQuestion(op);

export const isForActor = (op: Op): op is ActorOp => op.type === "call" || op.type === "events";

export const isReadResult = (result: OpResult | ReadResult): result is ReadResult =>
  result.type !== "stored" && result.type !== "superseded";

/** Bytes of what it is to store. */
export function valueBytesOf(op: Op): number {
  if (op.type === "call") return op.command.length;
  if (op.type === "merge") return op.rows.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
  return "value" in op && op.value ? op.value.length : 0;
}

/** Bytes of what it brings. */
export function valueBytesIn(result: OpResult | ReadResult): number {
  if (result.type === "value" || result.type === "reply") return result.value?.length ?? 0;
  if (result.type !== "members") return 0;
  return result.members.reduce(
    (sum, { value, tags }) => sum + value.length + tags.length * TAG_BYTES,
    0,
  );
}
