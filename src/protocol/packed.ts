/**
 * What comes in numbers (rows, operations, results) travels as msgpack lists of fixed layout instead
 * of maps: half the bytes, a third of the time.
 */
import { err, ok, type Result } from "../data/result.ts";
import { isProblem, listProblem, malformed, within, type Problem } from "./checks.ts";
import { describe, describeFields, type Layout } from "./layout.ts";
import { isFields } from "./reader.ts";

/** Unpacks each item, until one is wrong. */
export function unpackList<T extends object>(
  wire: unknown,
  max: number,
  unpack: (item: unknown) => T | Problem,
): Result<readonly T[], Problem> {
  if (!Array.isArray(wire) || wire.length > max)
    return err(listProblem(wire, 0, max) ?? malformed("a list"));
  const items: T[] = [];
  for (let i = 0; i < wire.length; i++) {
    const item = unpack(wire[i]);
    if (isProblem(item)) return err(within(item, `[${i}]`));
    items.push(item);
  }
  return ok(items);
}

/** Of a field that is unpacked. */
export const problemIn = (unpacked: Result<unknown, Problem>): Problem | null =>
  unpacked.ok ? null : unpacked.error;

/** Names the first field that is wrong. Slow: for lists already known to be. */
export function diagnose(wire: unknown, layout: Layout): Problem {
  const names = Object.keys(layout);
  if (!Array.isArray(wire) || wire.length !== names.length) return malformed(describe(layout));
  return diagnoseFields(Object.fromEntries(names.map((name, i) => [name, wire[i]])), layout);
}

/** The same for a map. */
export function diagnoseFields(wire: unknown, layout: Layout): Problem {
  if (!isFields(wire)) return malformed("a map");
  for (const [name, problemOf] of Object.entries(layout)) {
    const problem = problemOf(wire[name]);
    if (problem) return within(problem, `.${name}`);
  }
  return malformed(describeFields(layout));
}
