/** What the application wants of the grid: one operation, from the call until its answer. */
import type { Version } from "../../data/ids.ts";
import type { Content } from "../../data/content.ts";
import { utf8Length } from "../../data/text.ts";
import type {
  ClientAdd,
  ClientCount,
  ClientQuestion,
  ClientRemove,
  ClientWrite,
} from "../../protocol/client-messages.ts";
import type { AckLevel, OpResult, ReadResult } from "../../protocol/ops.ts";
import type { GridErrorInfo } from "../errors.ts";
import { OP_OVERHEAD_BYTES, REMOVED_TAG_BYTES } from "../limits.ts";

/** An entry, a set or a counter. */
export interface Of {
  readonly map: string;
  readonly key: string;
}

/** What may share a frame: reads, or writes that are acknowledged alike. */
export type Kind = "read" | AckLevel;
export const KINDS: readonly Kind[] = ["read", "owner", "backup"];

export type Ask = Read | Change;
export type Change = Write | Counted | Total;

/** Of every operation. */
export interface Common {
  /** In the order of the calls. */
  readonly id: number;
  /** Of the frame that it goes out in. */
  readonly bytes: number;
  /** How often it was refused with the advice to come again, and since when. */
  readonly refused: { readonly times: number; readonly since: number } | null;
  /** Version of the map by which it was last sent after its owner. */
  readonly redirectedAt: Version | null;
}

export interface Read extends Common {
  readonly kind: "read";
  readonly key: ClientQuestion;
}

export interface Write extends Common {
  readonly kind: AckLevel;
  readonly op: StampedOp;
  /** When the application called, by the client's clock, and how long it wants it kept. */
  readonly at: number;
  readonly ttlMs: number | null;
  /** Some node may have it, under this stamp: that can never be changed. */
  readonly exposed: boolean;
  /** Its stamp was once too far ahead for a node: it has been stamped again since. */
  readonly drifted: boolean;
  /** Of a removal: adds of the same element whose tags it is to name, by number. It goes out when it has them. */
  readonly behind: readonly number[];
}

/** To a set. */
export type Add = Write & { readonly op: ClientAdd };
export type Removal = Write & { readonly op: ClientRemove };

/** To a counter. What was asked for while another of its totals was under way goes along, each with its own answer. */
export interface Counted extends Common {
  readonly kind: AckLevel;
  readonly op: ClientCount;
  readonly by: number;
  readonly riders: readonly Counted[];
}

/** All that another client, which is no more, has counted. */
export interface Total extends Common {
  readonly kind: AckLevel;
  readonly op: ClientCount;
}

/** What another client has asked for, which is no more. */
export type Kept = Omit<Write, "id"> | Omit<Total, "id">;

/** What carries a stamp of this client's. */
export type StampedOp = ClientWrite | ClientAdd | ClientRemove;

/** The same before it has one. */
export type Draft = DraftOf<StampedOp>;
type DraftOf<Op> = Op extends unknown ? Omit<Op, "stamp" | "expiresAt"> : never;

export type Outcome =
  | Exclude<OpResult | ReadResult, { type: "refused" }>
  | { readonly type: "refused"; readonly error: GridErrorInfo };

export interface Settled {
  readonly ask: Ask;
  readonly outcome: Outcome;
}

export const isWrite = (ask: Ask): ask is Write => "ttlMs" in ask;

export const isAdd = (ask: Ask): ask is Add => isWrite(ask) && ask.op.type === "add";
export const isRemoval = (ask: Ask): ask is Removal => isWrite(ask) && ask.op.type === "remove";

export const isOfEntry = (ask: Ask): ask is Write => isWrite(ask) && ask.op.type === undefined;

/** Told apart from all others. */
export const nameOf = ({ map, key }: Of): string => `${map.length}:${map}${key}`;

/** What it is about. */
export const ofAsk = (ask: Ask): Of => ("key" in ask ? ask.key : ask.op);

/** What stands if it is stored. */
export function contentOf({ op }: Write): Content {
  const { stamp, value } = op;
  return { stamp, value, expiresAt: "expiresAt" in op ? op.expiresAt : null };
}

export const isCounted = (ask: Ask): ask is Counted => "by" in ask;

/** `writer`: the client's id, which is in every stamp; `behind`: how many tags a removal gets yet. */
export function bytesOf({ map, key }: Of, writer: string, draft: Draft | null, behind = 0): number {
  const texts = utf8Length(map) + utf8Length(key) + writer.length;
  const tags = draft?.type === "remove" ? (draft.tags?.length ?? 0) : 0;
  return (
    texts + (draft?.value?.length ?? 0) + (tags + behind) * REMOVED_TAG_BYTES + OP_OVERHEAD_BYTES
  );
}
