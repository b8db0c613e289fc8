/**
 * Values as applications have them <-> the msgpack that rows hold: JSON, and byte arrays. The grid itself stores any
 * bytes; this is the convention that the HTTP interface and the client keep.
 */
import { err, ok, type Result } from "../data/result.ts";
import { isWellFormed } from "../data/text.ts";
import { badText, malformed, valueProblem } from "./checks.ts";
import type { ErrorInfo } from "./error-data.ts";
import { ENVELOPE_ITEMS_MAX } from "./limits.ts";
import { readValue } from "./reader.ts";
import { writeValue } from "./writer.ts";

/** Lists and maps within each other in one value. */
const VALUE_DEPTH_MAX = 64;

/** null is a value like any other. What is undefined in an object is left out. `field` is what the value is called. */
export function encodeJson(json: unknown, field: string): Result<Uint8Array, ErrorInfo> {
  const problem = jsonProblem(json, field);
  if (problem) return err(problem);
  const bytes = writeValue(json);
  const tooLarge = valueProblem(bytes)?.(field);
  return tooLarge ? err(tooLarge) : ok(bytes);
}

/** Other clients may store what they like: not all of it is a value of ours. */
export function decodeJson(bytes: Uint8Array, field: string): Result<unknown, ErrorInfo> {
  const value = readValue(bytes, ENVELOPE_ITEMS_MAX, VALUE_DEPTH_MAX + 1);
  return value.ok ? value : err(value.error(field));
}

/** What would not come back as it went in. */
function jsonProblem(json: unknown, field: string): ErrorInfo | null {
  if (json === undefined) return notPlain(field);
  let level: readonly unknown[] = [json];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > VALUE_DEPTH_MAX)
      return malformed(`at most ${VALUE_DEPTH_MAX} lists and objects deep`)(field);
    const next: unknown[] = [];
    for (const value of level) {
      const problem = scalarProblem(value, field) ?? objectProblem(value, field);
      if (problem) return problem;
      if (isObject(value)) for (const inner of Object.values(value)) next.push(inner);
    }
    level = next;
  }
  return null;
}

function objectProblem(value: unknown, field: string): ErrorInfo | null {
  if (!isObject(value) || Array.isArray(value)) return null;
  if (!isPlain(value)) return notPlain(field);
  for (const name of Object.keys(value)) {
    if (name === "__proto__") return malformed("without a field __proto__")(field);
    if (!isWellFormed(name)) return badText(field);
  }
  return null;
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !(value instanceof Uint8Array);

function scalarProblem(value: unknown, field: string): ErrorInfo | null {
  if (typeof value === "string" && !isWellFormed(value)) return badText(field);
  if (typeof value === "number" && !Number.isFinite(value))
    return malformed("made of numbers up to 1.8e308")(field);
  return FOREIGN.has(typeof value) ? notPlain(field) : null;
}

const FOREIGN: ReadonlySet<string> = new Set(["bigint", "function", "symbol"]);

/** Without a class: a date would come back as a text, a map as nothing. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

const notPlain = malformed("made of JSON and byte arrays");
