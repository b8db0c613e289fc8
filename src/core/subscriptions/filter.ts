/** Which rows a query is about. */
import type { Row } from "../../data/row.ts";
import { VALUE_BYTES_MAX } from "../../protocol/limits.ts";
import { holds, namesKey } from "../../protocol/holds.ts";
import { readValue } from "../../protocol/reader.ts";
import type { Query } from "../../protocol/subscription-messages.ts";

/** By its name, whatever is in it. */
export const isNamed = (query: Query, row: Row): boolean =>
  row.map === query.map && namesKey(query, row.key);

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
