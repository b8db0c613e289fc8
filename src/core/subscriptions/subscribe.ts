/**
 * What clients ask, and what they are told. Nothing of a subscription is saved: where its client is changes with every
 * row, and only the client has that for nothing. A socket that outlives the node's memory, or has read too slowly, is
 * asked to SUBSCRIBE again, with its positions; so one that does not read costs no memory, and is told of each key that has
 * changed meanwhile its newest row only.
 */
import { partitionOf } from "../../data/hash.ts";
import { PartitionId } from "../../data/ids.ts";
import type { ClientMessage } from "../../protocol/client-messages.ts";
import { makeError, type ErrorInfo } from "../../protocol/errors.ts";
import {
  NODE_FOLLOWED_MAX,
  NODE_READINGS_MAX,
  NODE_SUBSCRIPTIONS_MAX,
  SUBSCRIPTIONS_MAX,
} from "../../protocol/limits.ts";
import type { Query, Subscribe } from "../../protocol/subscription-messages.ts";
import type { SocketId } from "../node/requests.ts";
import type { Turn } from "../node/turn.ts";
import { follow, followedBeside, unfollow } from "./follow.ts";
import { countReadings, memoryOf, remember, setSubscription } from "./memory.ts";
import { askNext, begin, pump, takeDigests, tell } from "./read.ts";
import { nameOf, NO_SUBSCRIPTIONS, type Reading } from "./state.ts";

export type SubscriberMessage = Extract<
  ClientMessage,
  { type: "SUBSCRIBE" | "UNSUBSCRIBE" | "DIGESTS" }
>;

export const isAboutSubscriptions = (message: ClientMessage): message is SubscriberMessage =>
  message.type === "SUBSCRIBE" || message.type === "UNSUBSCRIBE" || message.type === "DIGESTS";

/** Returns why it is refused. */
export function onSubscriber(
  turn: Turn,
  socket: SocketId,
  message: SubscriberMessage,
): ErrorInfo | null {
  switch (message.type) {
    case "SUBSCRIBE":
      return subscribe(turn, socket, message);
    case "UNSUBSCRIBE":
      unsubscribe(turn, nameOf(socket, message.id));
      if (!isKnown(turn, socket)) turn.do({ type: "subscribed", socket, yes: false });
      return null;
    case "DIGESTS":
      takeDigests(turn, nameOf(socket, message.id), message.parts);
      return null;
  }
}

function subscribe(turn: Turn, socket: SocketId, message: Subscribe): ErrorInfo | null {
  const { id, map, prefix, keys, filter } = message;
  const query: Query = {
    map,
    ...(prefix !== undefined && { prefix }),
    ...(keys && { keys }),
    ...(filter && { filter }),
  };
  const name = nameOf(socket, id);
  unsubscribe(turn, name);
  const partitionIds = partitionsOf(turn, query);
  const error = tooMany(turn, { socket, map, partitions: partitionIds.length });
  if (error) return error;
  const positions = new Map(message.positions.map((position) => [position.partitionId, position]));
  const readings = new Map<PartitionId, Reading>();
  for (const partitionId of partitionIds) {
    const known = positions.get(partitionId);
    const position = known ? { since: known.since, seq: known.seq } : null;
    readings.set(partitionId, { position, step: { type: "waiting" } });
  }
  const salt = saltOf(turn.random);
  const subscription = { socket, id, query, salt, readings };
  countReadings(turn, readings.size);
  setSubscription(turn, name, { ...subscription, synced: false, fetchId: null, retry: null });
  const bySocket = turn.own(memoryOf(turn).bySocket);
  remember(turn, { bySocket: bySocket.set(socket, [...(bySocket.get(socket) ?? []), name]) });
  turn.do({ type: "subscribed", socket, yes: true });
  follow(turn, map, name, partitionIds);
  for (const partitionId of partitionIds) begin(turn, name, partitionId);
  pump(turn, name);
  tell(turn, name);
  return null;
}

function partitionsOf(turn: Turn, { keys }: Query): readonly PartitionId[] {
  const { partitionCount } = turn.self;
  if (keys) return [...new Set(keys.map((key) => partitionOf(key, partitionCount)))];
  return Array.from({ length: partitionCount }, (_, id) => PartitionId(id));
}

const bounded = (field: string, value: number, max: number): ErrorInfo | null =>
  value > max ? makeError("OVERLOADED", { field, value, max }) : null;

function tooMany(
  turn: Turn,
  { socket, map, partitions }: { socket: SocketId; map: string; partitions: number },
): ErrorInfo | null {
  const { subscriptions, bySocket, readings } = memoryOf(turn);
  const own = 1 + (bySocket.get(socket)?.length ?? 0);
  return (
    bounded("subscriptions of a socket", own, SUBSCRIPTIONS_MAX) ??
    bounded("subscriptions", 1 + subscriptions.size, NODE_SUBSCRIPTIONS_MAX) ??
    bounded("partitions of maps", followedBeside(turn, map) + partitions, NODE_FOLLOWED_MAX) ??
    bounded("partitions to be brought up to date", readings + partitions, NODE_READINGS_MAX)
  );
}

/** Nobody who writes rows may know it before they are compared. */
function saltOf(random: number): { a: number; b: number } {
  const high = random * 2 ** 32;
  return { a: Math.floor(high), b: Math.floor((high % 1) * 2 ** 32) };
}

function unsubscribe(turn: Turn, name: string): void {
  const subscription = memoryOf(turn).subscriptions.get(name);
  if (!subscription) return;
  const { socket, query, readings } = subscription;
  unfollow(turn, query.map, name);
  const { subscriptions, bySocket, readings: all } = memoryOf(turn);
  const others = new Map(subscriptions);
  others.delete(name);
  const sockets = new Map(bySocket);
  const left = (bySocket.get(socket) ?? []).filter((one) => one !== name);
  if (left.length > 0) sockets.set(socket, left);
  else sockets.delete(socket);
  remember(turn, { subscriptions: others, bySocket: sockets, readings: all - readings.size });
}

const isKnown = (turn: Turn, socket: SocketId): boolean => memoryOf(turn).bySocket.has(socket);

/** It has closed, or was not told something: whoever is still there says where it is, as soon as it has room. */
export function forget(turn: Turn, socket: SocketId): void {
  for (const name of memoryOf(turn).bySocket.get(socket) ?? []) unsubscribe(turn, name);
  turn.do({ type: "resync", only: socket });
}

/** It can be told again what it has not been. */
export function recall(turn: Turn, socket: SocketId): void {
  if (!isKnown(turn, socket)) turn.do({ type: "resync", only: socket });
}

/** At the end of a turn: one frame for each subscription, however much was heard. */
export function tellSubscribers(turn: Turn): void {
  if (turn.self.membership !== "member") return end(turn);
  for (const socket of turn.forgotten) forget(turn, socket);
  for (const [name, parts] of turn.toTell) {
    const subscription = memoryOf(turn).subscriptions.get(name);
    if (!subscription) continue;
    const { socket, id, salt } = subscription;
    if (parts.length > 0)
      turn.do({
        type: "tell",
        socket,
        message: { type: "CHANGES", id, parts },
      });
    const partitionIds = askNext(turn, name);
    if (partitionIds.length > 0)
      turn.do({
        type: "tell",
        socket,
        message: { type: "WANT_DIGESTS", id, salt, partitionIds },
      });
  }
  for (const name of turn.toTell.keys()) tellSynced(turn, name);
}

/** Who is no member is answered by nobody, and has closed its sockets. */
function end(turn: Turn): void {
  if (memoryOf(turn) !== NO_SUBSCRIPTIONS) turn.setMemory({ subscriptions: NO_SUBSCRIPTIONS });
}

function tellSynced(turn: Turn, name: string): void {
  const subscription = memoryOf(turn).subscriptions.get(name);
  if (!subscription || subscription.synced) return;
  const { socket, id, readings } = subscription;
  if ([...readings.values()].some(({ step }) => step.type !== "ahead")) return;
  setSubscription(turn, name, { ...subscription, synced: true });
  turn.do({ type: "tell", socket, message: { type: "SYNCED", id } });
}
