/** Frames of client sockets: greeting, bounds, and from frames to requests. */
import { PROTOCOL_VERSION } from "../../protocol/version.ts";
import { CREDIT_FRAMES, CREDIT_OPS, SOCKET_UNREAD_BYTES_MAX } from "../../protocol/limits.ts";
import { makeError, type ErrorInfo } from "../../protocol/errors.ts";
import { elementSub } from "../../data/element.ts";
import type {
  Call,
  ClientMessage,
  ClientOp,
  ClientWrite,
  Get,
  Hello,
  Ops,
} from "../../protocol/client-messages.ts";
import type { Op } from "../../protocol/ops.ts";
import { addOf, removalOf, totalsOf } from "./changes.ts";
import { Taken } from "./credit.ts";
import type { ClientFrame } from "./events.ts";
import { mayPush, noRoom } from "./flow.ts";
import type { Request, Session, SocketId } from "./requests.ts";
import { answerFetch, noteAudience, pushOwed } from "./map-push.ts";
import { mapOf } from "./pending.ts";
import { serve } from "./serve.ts";
import {
  isAboutSubscriptions,
  onSubscriber,
  recall,
  type SubscriberMessage,
} from "../subscriptions/subscribe.ts";
import type { Turn } from "./turn.ts";

export function onFrames(turn: Turn, frames: readonly ClientFrame[]): void {
  const requests: Request[] = [];
  const greeted = new Map<SocketId, Session>();
  const taken = new Taken(turn);
  for (const frame of frames) {
    const { socket, message } = frame;
    const session = greeted.get(socket) ?? frame.session;
    if (message.type === "HELLO") {
      const welcomed = welcome(turn, socket, message);
      if (welcomed) greeted.set(socket, welcomed);
    } else if (!session) {
      refuse(turn, socket, message, makeError("HELLO_EXPECTED", { got: message.type }));
    } else {
      requests.push(...heard(turn, frame, session, taken));
    }
  }
  if (greeted.size > 0 || frames.some(({ session }) => session)) noteAudience(turn, true);
  if (requests.length > 0) serve(turn, requests);
}

/** What is left of a frame to be served: at most one request. */
function heard(
  turn: Turn,
  { socket, flow, message }: ClientFrame,
  session: Session,
  taken: Taken,
): readonly Request[] {
  const full = noRoom(flow);
  if (mayPush(flow)) catchUp(turn, socket);
  if (message.type === "HELLO" || message.type === "RECEIVED") return [];
  const asks = message.type !== "OPS";
  if (isAboutSubscriptions(message)) return follow(turn, { socket, message }, full, taken);
  const ops = message.type === "FETCH_MAP" ? [] : opsOf(message, session);
  const error = (asks ? full : null) ?? taken.take(socket, ops);
  if (error) refuse(turn, socket, message, error);
  else if (message.type === "FETCH_MAP") answerFetch(turn, socket, session, message);
  else {
    const { seq, type: kind } = message;
    const { ack = kind === "CALL" ? "backup" : "owner" } = { ack: undefined, ...message };
    return [{ origin: { type: "socket", socket, session, seq, kind }, ops, ack }];
  }
  return [];
}

/** With what it was not told while it had too much to read. What the map is pushed after is owed no more. */
function catchUp(turn: Turn, socket: SocketId): void {
  recall(turn, socket);
  pushOwed(turn, socket);
}

function follow(
  turn: Turn,
  { socket, message }: Heard,
  full: ErrorInfo | null,
  taken: Taken,
): readonly Request[] {
  const asked = full ?? taken.take(socket, []);
  const error = asked ?? onSubscriber(turn, socket, message);
  if (error) refuse(turn, socket, message, error);
  return [];
}

interface Heard {
  readonly socket: SocketId;
  readonly message: SubscriberMessage;
}

function opsOf(message: Ops | Get | Call, { clientId }: Session): readonly Op[] {
  switch (message.type) {
    case "OPS":
      return message.ops.map((op) => (op.type ? changeOf(op, clientId) : { ...op, type: "write" }));
    case "GET":
      return message.keys.map((asked) => (asked.type ? asked : { ...asked, type: "read" }));
    case "CALL":
      return message.calls.map((call) => ({ type: "call", ...call }));
  }
}

/** Of a set or a counter, as whoever gets it may merge it any number of times. */
function changeOf(op: Exclude<ClientOp, ClientWrite>, clientId: string): Op {
  const { map, key } = op;
  switch (op.type) {
    case "add":
      return { type: "merge", map, key, rows: [addOf(op, op.stamp, op.value, op.expiresAt)] };
    case "count":
      return { type: "merge", map, key, rows: totalsOf(op, op.replica ?? clientId, op) };
    case "remove": {
      const { tags, stamp, value } = op;
      if (!tags) return { type: "remove", map, key, stamp, value };
      const rows = tags.map((tag) => removalOf(op, elementSub(value, tag), stamp));
      return { type: "merge", map, key, rows };
    }
  }
}

function welcome(turn: Turn, socket: SocketId, hello: Hello): Session | null {
  const { nodeId, incarnation, tableVersion } = turn.self;
  const error = notWelcome(turn, hello);
  if (error) {
    turn.do({ type: "push", socket, message: { type: "ERROR", seq: null, error } });
    return null;
  }
  const clientId = hello.clientId ?? `${nodeId}.${incarnation}.${turn.takeSeqs(1)}`;
  const { forward } = hello;
  const viewVersion = turn.state.saved.view.version;
  const session: Session = { clientId, forward, mapVersion: tableVersion, viewVersion };
  turn.do({ type: "attach", socket, session });
  turn.do({
    type: "push",
    socket,
    message: {
      type: "WELCOME",
      version: PROTOCOL_VERSION,
      clientId,
      nodeId,
      forward,
      nowMs: turn.now,
      creditFrames: CREDIT_FRAMES,
      creditOps: CREDIT_OPS,
      creditBytes: SOCKET_UNREAD_BYTES_MAX,
      map: mapOf(turn),
    },
  });
  return session;
}

/** A cluster that was taken in is this one under another name; one that is over has no clients any more. */
function notWelcome(turn: Turn, { cluster }: Hello): ErrorInfo | null {
  const { clusterId, ceding, membership, nodeId } = turn.self;
  const { taken = [] } = turn.state.saved.view;
  if (cluster !== clusterId && !taken.includes(cluster))
    return makeError("WRONG_CLUSTER_ID", { expected: clusterId, got: cluster });
  if (membership === "removed") return makeError("NOT_A_MEMBER", { nodeId });
  if (!ceding?.over) return null;
  turn.do({ type: "close-sockets", reason: `this cluster is a part of ${ceding.into} by now` });
  return makeError("CLUSTER_MERGED", { clusterId, into: ceding.into });
}

function refuse(turn: Turn, socket: SocketId, message: ClientMessage, error: ErrorInfo): void {
  const seq = "seq" in message ? message.seq : null;
  turn.do({ type: "push", socket, message: { type: "ERROR", seq, error } });
}
