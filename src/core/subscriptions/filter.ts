/** Which rows a query is about. */
import { unreachable } from "../../data/assert.ts";
import type { Row } from "../../data/row.ts";
import { VALUE_BYTES_MAX } from "../../protocol/limits.ts";
import type { Filter } from "../../protocol/filter.ts";
import { isFields, readValue } from "../../protocol/reader.ts";
import type { Query } from "../../protocol/subscription-messages.ts";

/** By its name, whatever is in it. */
export const isNamed = ({ map, prefix = "", keys }: Query, row: Row): boolean =>
  row.map === map && row.key.startsWith(prefix) && (keys?.includes(row.key) ?? true);

/** A deletion fits no filter; what nobody can decode none either, nor a count. */
export function fits({ filter }: Query, row: Row): boolean {
  if (row.value === null) return false;
  if (!filter) return true;
  if (row.kind === "pn") return false;
  const value = readValue(row.value, VALUE_BYTES_MAX);
  return value.ok && holds(filter, value.value);
}

/**
 * As they are to be told. An entry that does not fit is told as gone, since it may have been there; what else does not fit
 * never has: an element stays what it is until it is removed, and a count is nothing that a filter can look at.
 */
export const toldAs = (query: Query, rows: readonly Row[]): readonly Row[] =>
  rows.flatMap((row) => {
    if (row.value === null || fits(query, row)) return [row];
    return row.kind === "lww" ? [{ ...row, value: null }] : [];
  });

function holds(filter: Filter, value: unknown): boolean {
  switch (filter.op) {
    case "and":
      return filter.all.every((one) => holds(one, value));
    case "or":
      return filter.all.some((one) => holds(one, value));
    case "not":
      return !holds(filter.filter, value);
    default:
      return compares(filter, fieldOf(value, filter.field));
  }
}

type Comparison = Exclude<Filter, { op: "and" | "or" | "not" }>;

/** What is not there is equal to nothing but nil, and neither less nor greater than anything. */
function compares(filter: Comparison, found: unknown): boolean {
  switch (filter.op) {
    case "eq":
      return isSame(found, filter.value);
    case "ne":
      return !isSame(found, filter.value);
    case "in":
      return filter.values.some((value) => isSame(found, value));
    case "prefix":
      return typeof found === "string" && found.startsWith(filter.value);
    case "lt":
      return isOrdered(found, filter.value) && found < filter.value;
    case "le":
      return isOrdered(found, filter.value) && found <= filter.value;
    case "gt":
      return isOrdered(found, filter.value) && found > filter.value;
    case "ge":
      return isOrdered(found, filter.value) && found >= filter.value;
    default:
      return unreachable(filter);
  }
}

const isSame = (found: unknown, value: unknown): boolean => (found ?? null) === value;

/** Texts with texts, by their code units, numbers with numbers. */
const isOrdered = (found: unknown, value: string | number): found is string | number =>
  typeof found === typeof value;

function fieldOf(value: unknown, path: string): unknown {
  if (path === "") return value;
  let found = value;
  for (const name of path.split(".")) {
    if (!isFields(found) || !Object.hasOwn(found, name)) return undefined;
    found = found[name];
  }
  return found;
}
