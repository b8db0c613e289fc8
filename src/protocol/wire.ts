/** Messages as they are written: packed fields in place of rows, operations and results. */
import type { ServerMessage } from "./client-messages.ts";
import type { ClusterMessage } from "./cluster-messages.ts";
import type { Row } from "../data/row.ts";
import { packParts } from "./packed-changes.ts";
import { packOps } from "./packed-ops.ts";
import { packExceptions, packResults } from "./packed-results.ts";
import { packDeltas, packRows } from "./packed-rows.ts";
import { packEntries } from "./packed-scan.ts";

export function clusterWire(message: ClusterMessage): object {
  const { type } = message;
  if (type === "MIGRATE_DATA") {
    const { chunk, deltas, collect, ...rest } = message;
    const packed = { mapStates: packRows(chunk), deltaOps: packDeltas(deltas) };
    return { ...rest, ...packed, ...(collect && { collect: packDeltas(collect) }) };
  }
  if (type === "OP_FORWARD") {
    const { ops, ...rest } = message;
    return { ...rest, payload: packOps(ops) };
  }
  if (type === "SCANNED") {
    const pages = message.pages.map((page) => ({ ...page, entries: packEntries(page.entries) }));
    return { ...message, pages };
  }
  if (type === "OP_FORWARDED") return { ...message, results: packResults(message.results) };
  if (type === "PULLED_ROWS" || type === "ROW_OFFER")
    return { ...message, rows: packRows(message.rows) };
  if (type === "ROWS_CHANGED") return { ...message, parts: message.parts.map(withRows) };
  if (type === "FETCHED_ROWS") return { ...message, pages: message.pages.map(withRows) };
  return message;
}

const withRows = (part: { readonly rows: readonly Row[] }): object => ({
  ...part,
  rows: packRows(part.rows),
});

export function serverWire(message: ServerMessage): object {
  const { type } = message;
  if (type === "ACK") return { ...message, exceptions: packExceptions(message.exceptions) };
  if (type === "CHANGES") return { ...message, parts: packParts(message.parts) };
  if (type === "REPLIES") return { ...message, replies: packResults(message.replies) };
  if (type === "VALUES") return { ...message, values: packResults(message.values) };
  return message;
}
