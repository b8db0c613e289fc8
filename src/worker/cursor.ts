/** Where a scan goes on: `partition` or `partition:key`, in base64url. */
import { PartitionId } from "../data/ids.ts";
import { isKey } from "../protocol/guards.ts";
import { PARTITION_COUNT_MAX } from "../protocol/limits.ts";

export interface Cursor {
  readonly partitionId: PartitionId;
  /** Keys above this one; null: from the partition's first. */
  readonly after: string | null;
}

export function encodeCursor({ partitionId, after }: Cursor): string {
  const bytes = new TextEncoder().encode(`${partitionId}${after === null ? "" : `:${after}`}`);
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** null for whatever `encodeCursor` cannot have made. */
export function decodeCursor(text: string): Cursor | null {
  const match = /^(0|[1-9]\d{0,4})(?::(.*))?$/s.exec(decodeText(text) ?? "");
  if (!match) return null;
  const cursor = { partitionId: PartitionId(Number(match[1])), after: match[2] ?? null };
  const possible =
    cursor.partitionId < PARTITION_COUNT_MAX &&
    (cursor.after === null || isKey(cursor.after)) &&
    encodeCursor(cursor) === text;
  return possible ? cursor : null;
}

function decodeText(text: string): string | null {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (unit) => unit.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
