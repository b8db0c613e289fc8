/** What the application wants of the grid: one operation, from the call until its answer. */
import type { PartitionId, Version } from "../../data/ids.ts";
import { utf8Length } from "../../data/text.ts";
import type { ClientWrite } from "../../protocol/client-messages.ts";
import type { AckLevel, OpResult, ReadResult } from "../../protocol/ops.ts";
import type { GridErrorInfo } from "../errors.ts";
import { OP_OVERHEAD_BYTES } from "../limits.ts";

/** What may share a frame: reads, or writes that are acknowledged alike. */
export type Kind = "read" | AckLevel;
export const KINDS: readonly Kind[] = ["read", "owner", "backup"];

export type Ask = Read | Write;

interface Common {
  /** In the order of the calls. */
  readonly id: number;
  readonly partitionId: PartitionId;
  /** Of the frame that it goes out in. */
  readonly bytes: number;
  /** How often it was refused with the advice to come again, and since when. */
  readonly refused: { readonly times: number; readonly since: number } | null;
  /** Version of the map by which it was last sent after its owner. */
  readonly redirectedAt: Version | null;
}

export interface Read extends Common {
  readonly kind: "read";
  readonly key: { readonly map: string; readonly key: string };
}

export interface Write extends Common {
  readonly kind: AckLevel;
  readonly op: ClientWrite;
  /** When the application called, by the client's clock, and how long it wants it kept. */
  readonly at: number;
  readonly ttlMs: number | null;
  /** Some node may have it, under this stamp: that can never be changed. */
  readonly exposed: boolean;
  /** Its stamp was once too far ahead for a node: it has been stamped again since. */
  readonly drifted: boolean;
}

export type Outcome =
  | Exclude<OpResult | ReadResult, { type: "refused" }>
  | { readonly type: "refused"; readonly error: GridErrorInfo };

export interface Settled {
  readonly ask: Ask;
  readonly outcome: Outcome;
}

export const isWrite = (ask: Ask): ask is Write => ask.kind !== "read";

/** `writer`: the client's id, which is in every stamp. */
export function bytesOf(
  map: string,
  key: string,
  writer: string,
  value: Uint8Array | null,
): number {
  const texts = utf8Length(map) + utf8Length(key) + writer.length;
  return texts + (value?.length ?? 0) + OP_OVERHEAD_BYTES;
}
