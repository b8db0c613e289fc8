/** What may enter: one rule for each kind of field, for frames, cluster messages and HTTP alike. */
import { isElementHash } from "../data/element-hash.ts";
import { isStampNode, parseStamp } from "../data/hlc.ts";
import { STAMP_COUNTER_MAX } from "../data/limits.ts";
import { isWellFormed, utf8Length } from "../data/text.ts";
import { borderError } from "./border-errors.ts";
import type { ErrorInfo } from "./error-data.ts";
import {
  KEY_BYTES_MAX,
  MAP_NAME_BYTES_MAX,
  MAP_NAME_BYTES_MIN,
  NAME_PATTERN,
  RESERVED_NODE_IDS,
  VALUE_BYTES_MAX,
} from "./limits.ts";

/** What is wrong with a value, once somebody knows what the value is called. */
export type Problem = (field: string) => ErrorInfo;

/** May an entry be called this? Names the field `map` or `key`. */
export function checkKey(map: string, key: string): ErrorInfo | null {
  return mapProblem(map)?.("map") ?? keyProblem(key)?.("key") ?? null;
}

/** May an entry hold this? null is a delete. Names the field `value`. */
export function checkValue(value: Uint8Array | null): ErrorInfo | null {
  return valueProblem(value)?.("value") ?? null;
}

/** May a node be called this? Names the field `nodeId`. */
export function checkNodeId(id: string): ErrorInfo | null {
  return nodeIdProblem(id)?.("nodeId") ?? null;
}

export const nodeIdProblem = (id: unknown): Problem | null =>
  typeof id === "string" && NAME_PATTERN.test(id) && !RESERVED_NODE_IDS.includes(id)
    ? null
    : badNodeId;

const badNodeId = malformed(`1 to 32 of a-z 0-9 -, not ${RESERVED_NODE_IDS.join(" or ")}`);

// ------------------------------------------------------------------ the fields of an entry

export const mapProblem = (map: unknown): Problem | null =>
  textProblem(map, MAP_NAME_BYTES_MIN, MAP_NAME_BYTES_MAX);

export const keyProblem = (key: unknown): Problem | null => textProblem(key, 0, KEY_BYTES_MAX);

export const valueProblem = (value: unknown): Problem | null =>
  value === null ? null : bytesProblem(value, 0, VALUE_BYTES_MAX);

export const counterProblem = (counter: unknown): Problem | null =>
  integerProblem(counter, 0, STAMP_COUNTER_MAX);

export const nodeProblem = (node: unknown): Problem | null =>
  typeof node === "string" && isStampNode(node) ? null : badNode;

export const totalProblem = (total: unknown): Problem | null =>
  integerProblem(total, 0, Number.MAX_SAFE_INTEGER);

/** A stamp as text; a tag is one. */
export const tagProblem = (tag: unknown): Problem | null =>
  typeof tag === "string" && parseStamp(tag).ok ? null : badTag;

export const elementProblem = (value: unknown): Problem | null =>
  bytesProblem(value, 0, VALUE_BYTES_MAX);

/** Where the elements of a set go on. */
export const hashProblem = (hash: unknown): Problem | null =>
  hash === null || (typeof hash === "string" && isElementHash(hash)) ? null : badHash;

// ------------------------------------------------------------------ kinds of values

/** `min` and `max` in bytes of UTF-8; `min` is 0 or 1. */
export function textProblem(value: unknown, min: number, max: number): Problem | null {
  if (typeof value !== "string") return malformed("a text");
  if (!isWellFormed(value)) return badText;
  if (value.length >= min && value.length * 3 <= max) return null; // no unit takes more
  return sizeProblem(utf8Length(value), { min, max, unit: "bytes" });
}

export function bytesProblem(value: unknown, min: number, max: number): Problem | null {
  if (!(value instanceof Uint8Array)) return malformed("bytes");
  return sizeProblem(value.length, { min, max, unit: "bytes" });
}

export function listProblem(value: unknown, min: number, max: number): Problem | null {
  if (!Array.isArray(value)) return malformed("a list");
  return sizeProblem(value.length, { min, max, unit: "items" });
}

/** A reader never makes -0, which would be equal to 0 and hash differently. */
export function integerProblem(value: unknown, min: number, max: number): Problem | null {
  if (typeof value !== "number" || !Number.isInteger(value)) return malformed("an integer");
  if (value >= min && value <= max) return null;
  return (field) => borderError("OUT_OF_BOUNDS", { field, value, min, max });
}

interface SizeBounds {
  readonly min: number;
  readonly max: number;
  readonly unit: "bytes" | "items";
}

function sizeProblem(value: number, { min, max, unit }: SizeBounds): Problem | null {
  if (value >= min && value <= max) return null;
  return (field) => borderError("OUT_OF_BOUNDS", { field, value, min, max, unit });
}

export function malformed(expected: string): Problem {
  return (field) => borderError("MALFORMED", { field, expected });
}

export const badText: Problem = (field) =>
  borderError("BAD_TEXT", { field, expected: "UTF-8 without lone surrogates" });

const badNode = malformed("1 to 64 of A-Z a-z 0-9 . _ -");
export const badTag = malformed("a stamp as text: millis:counter:node");
const badHash = malformed("16 hex digits");

/** The problem of a part: `path` leads from the whole to it, as `.key` or `[3]`. */
export const within =
  (problem: Problem, path: string): Problem =>
  (field) =>
    problem(field === "" && path.startsWith(".") ? path.slice(1) : field + path);

/** Nothing that is read from bytes is a function. */
export const isProblem = (value: unknown): value is Problem => typeof value === "function";
