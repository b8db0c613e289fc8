/** JSON as callers write it <-> msgpack as rows hold it. */
import { decode, encode } from "@msgpack/msgpack";
import { err, ok, type Result } from "../data/result.ts";
import { isWellFormed } from "../data/text.ts";
import { malformed, valueProblem } from "../protocol/checks.ts";
import { makeError, type ErrorInfo } from "../protocol/errors.ts";

/** Lists and maps within each other in one value. */
const VALUE_DEPTH_MAX = 64;

/** Any JSON; null is a value like any other. `field` is what the value is called. */
export function encodeJson(json: unknown, field: string): Result<Uint8Array, ErrorInfo> {
  const problem = jsonProblem(json, field);
  if (problem) return err(problem);
  const bytes = encode(json, { maxDepth: VALUE_DEPTH_MAX + 1 });
  const tooLarge = valueProblem(bytes)?.(field);
  return tooLarge ? err(tooLarge) : ok(bytes);
}

/** What `JSON.parse` lets through and would not come back as it went in. */
function jsonProblem(json: unknown, field: string): ErrorInfo | null {
  let level = [json];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > VALUE_DEPTH_MAX)
      return malformed(`at most ${VALUE_DEPTH_MAX} lists and objects deep`)(field);
    const next: unknown[] = [];
    for (const value of level) {
      const problem = scalarProblem(value, field);
      if (problem) return problem;
      if (typeof value === "object" && value !== null)
        for (const [name, inner] of Object.entries(value)) {
          if (name === "__proto__") return malformed("without a field __proto__")(field);
          if (!isWellFormed(name)) return badText(field);
          next.push(inner);
        }
    }
    level = next;
  }
  return null;
}

function scalarProblem(value: unknown, field: string): ErrorInfo | null {
  if (typeof value === "string" && !isWellFormed(value)) return badText(field);
  if (typeof value === "number" && !Number.isFinite(value))
    return malformed("made of numbers up to 1.8e308")(field);
  return null;
}

const badText = (field: string): ErrorInfo =>
  makeError("BAD_TEXT", { field, expected: "UTF-8 without lone surrogates" });

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
