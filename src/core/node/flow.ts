/**
 * What a socket was sent and its client has not read. No Durable Object can see that: a socket takes whatever it is
 * sent, keeps it in memory, and has no `bufferedAmount`. So the client says how much it has received.
 *
 *   open ──more than SOCKET_UNREAD_BYTES_MAX──► full ──no receipt for long, or too much──► closed with 1013
 *        ◄──────────a receipt─────────────────  no values, no pushes of the map; what it lacks of the map is owed
 */
import type { ServerMessage } from "../../protocol/client-messages.ts";
import { makeError, type ErrorInfo } from "../../protocol/errors.ts";
import {
  NODE_UNREAD_BYTES_MAX,
  SOCKET_STALLED_MS_MAX,
  SOCKET_UNREAD_BYTES_CLOSE,
  SOCKET_UNREAD_BYTES_MAX,
  SOCKET_UNREPORTED_BYTES_MAX,
} from "../../protocol/limits.ts";

export interface Flow {
  /** Bytes of binary frames to the client, since the socket was opened. */
  readonly sent: number;
  /** As many of them the client has, by its own word; null: it has never said. */
  readonly received: number | null;
  /** Full without a receipt since then. */
  readonly stalledSince: number | null;
  /** It was not told of a change of the map. */
  readonly owed: boolean;
}

export const NO_FLOW: Flow = { sent: 0, received: null, stalledSince: null, owed: false };

export const unread = ({ sent, received }: Flow): number => sent - (received ?? 0);

/** A client that never says what it has is given all it asks for, up to a bound of its own. */
export const isFull = (flow: Flow): boolean =>
  flow.received !== null && unread(flow) > SOCKET_UNREAD_BYTES_MAX;

export function afterSend(flow: Flow, bytes: number, now: number): Flow {
  const next = { ...flow, sent: flow.sent + bytes };
  return isFull(next) ? { ...next, stalledSince: flow.stalledSince ?? now } : next;
}

/** A receipt for less than the last one is late; one for more than was sent is none. */
export function afterReceipt(flow: Flow, received: number, now: number): Flow {
  if (received > flow.sent || received < (flow.received ?? 0)) return flow;
  const progress = received > (flow.received ?? -1);
  const next = { ...flow, received };
  const stalledSince = progress ? now : (flow.stalledSince ?? now);
  return { ...next, stalledSince: isFull(next) ? stalledSince : null };
}

/**
 * Why this socket is given up: what it was sent lies in this node's memory. `allUnread`: by every client of the node, also
 * by those given up, since closing frees nothing until they read or are gone. Whether one that says nothing reads, nobody
 * can tell: where there is too much in all it must connect again at once, and who reads can.
 */
export function tooSlow(flow: Flow, now: number, allUnread: number): ErrorInfo | null {
  const says = flow.received !== null;
  if (!says && allUnread > NODE_UNREAD_BYTES_MAX && unread(flow) > SOCKET_UNREAD_BYTES_MAX)
    return overloaded("bytes unread by all clients", allUnread, NODE_UNREAD_BYTES_MAX);
  const max = says ? SOCKET_UNREAD_BYTES_CLOSE : SOCKET_UNREPORTED_BYTES_MAX;
  if (unread(flow) > max) return overloaded("unread bytes", unread(flow), max);
  const stalledMs = flow.stalledSince === null ? 0 : now - flow.stalledSince;
  return stalledMs > SOCKET_STALLED_MS_MAX
    ? overloaded("ms without a receipt", stalledMs, SOCKET_STALLED_MS_MAX)
    : null;
}

/** Why nothing may be asked for now. */
export const noRoom = (flow: Flow): ErrorInfo | null =>
  isFull(flow) ? overloaded("unread bytes", unread(flow), SOCKET_UNREAD_BYTES_MAX) : null;

/** A change of the map that it was not told of can be told now. */
export const mayPush = (flow: Flow): boolean => flow.owed && !isFull(flow);

/** What is sent in place of a message: values can be asked for again, acknowledgements cannot. */
export function fitting(flow: Flow, message: ServerMessage): ServerMessage {
  const error = message.type === "VALUES" ? noRoom(flow) : null;
  return error && message.type === "VALUES" ? { type: "ERROR", seq: message.seq, error } : message;
}

const overloaded = (field: string, value: number, max: number): ErrorInfo =>
  makeError("OVERLOADED", { field, value, max });
