/** Stored bytes as JSON, for callers over HTTP. */
import { decode } from "@msgpack/msgpack";

/** Socket clients store what they like: bytes that no JSON can say become `{ "$bytes": base64 }`. */
export function jsonText(bytes: Uint8Array): string {
  try {
    return JSON.stringify(decode(bytes), plain) ?? opaque(bytes);
  } catch {
    return opaque(bytes);
  }
}

const opaque = (bytes: Uint8Array): string => JSON.stringify(tagged(bytes));

const tagged = (bytes: Uint8Array): { $bytes: string } => ({
  $bytes: btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")),
});

function plain(_: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return tagged(value);
  return typeof value === "bigint" ? value.toString() : value;
}
