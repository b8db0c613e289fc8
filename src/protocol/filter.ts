/**
 * A small language to say which values a subscription is about: comparisons of fields of the decoded value, and, or, not.
 * It reads nothing but the value, runs no code of anybody's, and is bounded in depth, size and what it takes to evaluate.
 */
import { listProblem, malformed, textProblem, within, type Problem } from "./checks.ts";
import { borderError } from "./border-errors.ts";
import {
  FILTER_DEPTH_MAX,
  FILTER_FIELD_BYTES_MAX,
  FILTER_TERMS_MAX,
  FILTER_TEXT_BYTES_MAX,
  FILTER_VALUES_MAX,
} from "./limits.ts";
import { isFields, type Fields } from "./reader.ts";

type Scalar = string | number | boolean | null;

/** `field`: names of fields within each other, with points between them; empty: the value itself. */
export type Filter =
  | { readonly op: "eq" | "ne"; readonly field: string; readonly value: Scalar }
  | {
      readonly op: "lt" | "le" | "gt" | "ge";
      readonly field: string;
      readonly value: string | number;
    }
  | { readonly op: "in"; readonly field: string; readonly values: readonly Scalar[] }
  | { readonly op: "prefix"; readonly field: string; readonly value: string }
  | { readonly op: "and" | "or"; readonly all: readonly Filter[] }
  | { readonly op: "not"; readonly filter: Filter };

export const FILTER_OPS: readonly Filter["op"][] = [
  ...(["eq", "ne", "lt", "le", "gt", "ge", "in", "prefix"] as const),
  ...(["and", "or", "not"] as const),
];

/** Why this is no filter. */
export function filterProblem(filter: unknown): Problem | null {
  const room = { terms: FILTER_TERMS_MAX };
  return termProblem(filter, 1, room);
}

function termProblem(term: unknown, depth: number, room: { terms: number }): Problem | null {
  if (depth > FILTER_DEPTH_MAX) return tooMuch("depth", depth, FILTER_DEPTH_MAX);
  if (--room.terms < 0) return tooMuch("terms", FILTER_TERMS_MAX + 1, FILTER_TERMS_MAX);
  if (!isFields(term)) return malformed("a map");
  const { op } = term;
  if (op === "and" || op === "or") return allProblem(term["all"], depth, room);
  if (op === "not") return at(termProblem(term["filter"], depth + 1, room), ".filter");
  if (!FILTER_OPS.some((known) => known === op)) return at(noOp, ".op");
  const field = at(textProblem(term["field"], 0, FILTER_FIELD_BYTES_MAX), ".field");
  return field ?? operandProblem(op, term);
}

const noOp = malformed(`one of ${FILTER_OPS.join(" ")}`);

function allProblem(all: unknown, depth: number, room: { terms: number }): Problem | null {
  if (!Array.isArray(all) || all.length > FILTER_TERMS_MAX)
    return at(listProblem(all, 0, FILTER_TERMS_MAX), ".all");
  for (const [i, one] of all.entries()) {
    const problem = termProblem(one, depth + 1, room);
    if (problem) return within(problem, `.all[${i}]`);
  }
  return null;
}

function operandProblem(op: unknown, { value, values }: Fields): Problem | null {
  if (op === "prefix") return at(textProblem(value, 0, FILTER_TEXT_BYTES_MAX), ".value");
  if (op !== "in") return at(scalarProblem(value, op !== "eq" && op !== "ne"), ".value");
  if (!Array.isArray(values) || values.length > FILTER_VALUES_MAX)
    return at(listProblem(values, 0, FILTER_VALUES_MAX), ".values");
  for (const [i, one] of values.entries()) {
    const problem = scalarProblem(one, false);
    if (problem) return within(problem, `.values[${i}]`);
  }
  return null;
}

function scalarProblem(value: unknown, ordered: boolean): Problem | null {
  if (typeof value === "number") return Number.isFinite(value) ? null : malformed("a number");
  if (typeof value === "string") return textProblem(value, 0, FILTER_TEXT_BYTES_MAX);
  if (ordered) return malformed("a text or a number");
  const fits = value === null || typeof value === "boolean";
  return fits ? null : malformed("a text, a number, true, false or nil");
}

const at = (problem: Problem | null, path: string): Problem | null =>
  problem && within(problem, path);

const tooMuch =
  (what: string, value: number, max: number): Problem =>
  (field) =>
    borderError("OUT_OF_BOUNDS", { field: `${what} of ${field}`, value, min: 1, max });
