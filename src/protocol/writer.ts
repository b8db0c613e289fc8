/** Values to bytes, by one reused encoder: it keeps its buffer, the caller gets a copy. */
import { Encoder } from "@msgpack/msgpack";
import { assert } from "../data/assert.ts";
import { isWellFormed } from "../data/text.ts";
import { isFields } from "./reader.ts";

const encoder = new Encoder({ ignoreUndefined: true });

/**
 * Every text must be well formed: the encoder would write a lone surrogate as bytes that are no UTF-8,
 * or in a longer text as U+FFFD, and the key sent would be another one. Whoever takes texts from
 * outside has checked them by then (`checkKey`).
 */
export function writeValue(value: unknown): Uint8Array {
  assertTexts(value);
  return encoder.encode(value);
}

function assertTexts(value: unknown): void {
  if (typeof value === "string")
    assert(isWellFormed(value), "texts are checked before they are sent");
  else if (Array.isArray(value)) for (const item of value) assertTexts(item);
  else if (isFields(value)) for (const name in value) assertTexts(value[name]);
}
