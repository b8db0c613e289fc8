/** Operations on entries, and what becomes of each. The same shapes serve clients, nodes and HTTP. */
import type { Stamp } from "../data/hlc.ts";
import type { ErrorInfo } from "./errors.ts";

export type Op = WriteOp | ReadOp;

/** A put (`value`) or a delete (`value: null`) of one LWW entry. */
export interface WriteOp {
  readonly type: "write";
  readonly map: string;
  readonly key: string;
  /** null: the owner stamps it, standing in for the caller (HTTP). */
  readonly stamp: Stamp | null;
  readonly value: Uint8Array | null;
  /** ms since the epoch; null: never. */
  readonly expiresAt: number | null;
}

export interface ReadOp {
  readonly type: "read";
  readonly map: string;
  readonly key: string;
}

export type OpResult =
  /** Durable as the winner (or was so already). */
  | { readonly type: "stored"; readonly stamp: Stamp }
  /** Durable, but a newer write stands: `stamp` is the winner's. */
  | { readonly type: "superseded"; readonly stamp: Stamp }
  | { readonly type: "refused"; readonly error: ErrorInfo };

/** `value` null: absent, deleted or expired. */
export type ReadResult =
  | { readonly type: "value"; readonly value: Uint8Array | null; readonly stamp: Stamp | null }
  | { readonly type: "refused"; readonly error: ErrorInfo };

/**
 * When a write is acknowledged: when its owner has it on disk, or when every complete copy has it, too. Then it
 * survives the loss of its owner for ever.
 */
export type AckLevel = "owner" | "backup";
