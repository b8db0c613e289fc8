/** What nodes say to each other of subscriptions, and what of it is due. */
import type { NodeId } from "../../data/ids.ts";
import type { ClusterMessage } from "../../protocol/cluster-messages.ts";
import type { CallId } from "../machine/cluster-event.ts";
import type { Turn } from "../node/turn.ts";
import { onFetchRows } from "./answer.ts";
import { onInterested, onRowsChanged, pursueFeeds } from "./follow.ts";
import { memoryOf } from "./memory.ts";
import { askAgain, onInterest, onRowsHeard, pursueOutlets } from "./publish.ts";
import { onFetchedRows, pump, pursueReadings } from "./read.ts";
import type { Subscriptions } from "./state.ts";

/** False: it is about something else. */
export function hearOfSubscriptions(
  turn: Turn,
  from: NodeId,
  message: ClusterMessage,
  call: CallId | null,
): boolean {
  switch (message.type) {
    case "INTEREST":
      onInterest(turn, from, message, call);
      return true;
    case "INTERESTED":
      onInterested(turn, from, message);
      pumpAll(turn);
      return true;
    case "ROWS_CHANGED":
      onRowsChanged(turn, from, message, call);
      pumpAll(turn);
      return true;
    case "ROWS_HEARD":
      onRowsHeard(turn, from, message);
      return true;
    case "FETCH_ROWS":
      onFetchRows(turn, message, call);
      return true;
    case "FETCHED_ROWS":
      onFetchedRows(turn, from, message);
      return true;
    default:
      return false;
  }
}

/** Those that have something to read now. */
function pumpAll(turn: Turn): void {
  if (memoryOf(turn).readings === 0) return;
  for (const [name, { readings, fetchId }] of memoryOf(turn).subscriptions)
    if (readings.size > 0 && fetchId === null) pump(turn, name);
}

/** An alarm may be about something that was under way when the memory was lost. */
export function pursueSubscriptions(turn: Turn): void {
  askAgain(turn);
  pursueOutlets(turn);
  pursueFeeds(turn);
  pursueReadings(turn);
}

/** Of what is forgotten with the memory. */
export function readingsAt({ feeds, fetches, subscriptions, readings }: Subscriptions): number {
  let earliest = Infinity;
  for (const { retry } of feeds.values()) earliest = Math.min(earliest, retry?.at ?? Infinity);
  for (const { retry } of fetches.values()) earliest = Math.min(earliest, retry.at);
  if (readings === 0) return earliest;
  for (const { retry } of subscriptions.values())
    earliest = Math.min(earliest, retry?.at ?? Infinity);
  return earliest;
}
