/** Which rows a query is about, by name and by value. */
import { unreachable } from "../data/assert.ts";
import type { Filter } from "./filter.ts";
import { isFields } from "./reader.ts";
import type { Query } from "./subscription-messages.ts";

/** By the name of an entry, a set or a counter, whatever is in it. */
export const namesKey = ({ prefix = "", keys }: Query, key: string): boolean =>
  key.startsWith(prefix) && (keys?.includes(key) ?? true);

/** The filter, for a value. */
export function holds(filter: Filter, value: unknown): boolean {
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

/** `path`: names of fields within each other, with points between them; empty: the value itself. */
export function fieldOf(value: unknown, path: string): unknown {
  if (path === "") return value;
  let found = value;
  for (const name of path.split(".")) {
    if (!isFields(found) || !Object.hasOwn(found, name)) return undefined;
    found = found[name];
  }
  return found;
}
