/**
 * A node follows a map for all its sockets together: it says so to the owner of each partition, and is told from then on.
 * How far it was told it keeps per partition, and every subscription that is up to date is there, too.
 *
 *   open ──INTEREST──► told up to `seq` ──(from, to]──► from <= seq: passed on · else a gap: each subscription reads
 *     ▲                                                                             what has changed since
 *     └── another owner, or the owner has lost its memory
 */
import type { NodeId, PartitionId, Seq } from "../../data/ids.ts";
import type { Ruling } from "../../data/ruling.ts";
import type {
  FeedPart,
  Interested,
  Position,
  RowsChanged,
} from "../../protocol/subscription-messages.ts";
import type { CallId } from "../machine/cluster-event.ts";
import type { Turn } from "../node/turn.ts";
import { retryAfter } from "../partition/streams.ts";
import { memoryOf, remember } from "./memory.ts";
import { hearPart } from "./read.ts";
import type { Feed } from "./state.ts";

const NO_FEED: Feed = { parts: new Map(), open: new Map(), retry: null, subscriptions: new Set() };

const feedOf = (turn: Turn, map: string): Feed => memoryOf(turn).feeds.get(map) ?? NO_FEED;

function setFeed(turn: Turn, map: string, change: Partial<Feed>): void {
  const feed = { ...feedOf(turn, map), ...change };
  remember(turn, { feeds: turn.own(memoryOf(turn).feeds).set(map, feed) });
}

/** Partitions of all maps but this one that are followed here. */
export function followedBeside(turn: Turn, map: string): number {
  let count = 0;
  for (const [name, { parts, open }] of memoryOf(turn).feeds)
    if (name !== map) count += Math.max(parts.size, open.size);
  return count;
}

/** For one more subscription. */
export function follow(
  turn: Turn,
  map: string,
  name: string,
  partitionIds: readonly PartitionId[],
): void {
  const { parts, open, subscriptions } = feedOf(turn, map);
  const isNew = (id: PartitionId): boolean => !parts.has(id) && !open.has(id);
  const more = partitionIds.filter(isNew);
  setFeed(turn, map, { subscriptions: new Set(subscriptions).add(name) });
  if (more.length > 0) ask(turn, map, more);
}

/** For one less. Owners hear of that when they tell something that nobody wants. */
export function unfollow(turn: Turn, map: string, name: string): void {
  const subscriptions = new Set(feedOf(turn, map).subscriptions);
  if (!subscriptions.delete(name)) return;
  if (subscriptions.size > 0) return setFeed(turn, map, { subscriptions });
  const feeds = new Map(memoryOf(turn).feeds);
  feeds.delete(map);
  remember(turn, { feeds });
}

/** There is a reason to ask: no answer counts that is to a question from before it. */
function ask(turn: Turn, map: string, partitionIds: readonly PartitionId[]): void {
  const n = announce(turn, map, partitionIds, 0);
  const open = new Map(feedOf(turn, map).open);
  for (const id of partitionIds) open.set(id, n);
  setFeed(turn, map, { open });
}

/** Under which number. */
function announce(
  turn: Turn,
  map: string,
  partitionIds: readonly PartitionId[],
  attempt: number,
): Seq {
  const n = turn.takeSeqs(1);
  const ownerOf = (id: PartitionId): NodeId | null => turn.partition(id).ruling.owner;
  for (const [owner, theirs] of Map.groupBy(partitionIds, ownerOf))
    if (owner !== null) turn.send(owner, { type: "INTEREST", n, map, partitionIds: theirs });
  setFeed(turn, map, { retry: retryAfter(turn, attempt) });
  return n;
}

export function onInterested(turn: Turn, from: NodeId, { n, map, positions }: Interested): void {
  if (!memoryOf(turn).feeds.has(map)) return;
  const { parts, open: before } = feedOf(turn, map);
  const open = new Map(before);
  for (const { partitionId, since, seq } of positions) {
    const { ruling } = turn.partition(partitionId);
    // Of an owner that is none any more.
    if (ruling.owner !== from || ruling.since !== since) continue;
    // It may have forgotten that since it said so.
    if (n < (open.get(partitionId) ?? -Infinity)) continue;
    open.delete(partitionId);
    setFeed(turn, map, { open });
    // A change may have been faster.
    const told = parts.get(partitionId);
    const at = told?.since === since && told.seq > seq ? told.seq : seq;
    onPart(turn, { map, partitionId, since, from: at, to: at, rows: [] });
  }
  if (open.size === 0) setFeed(turn, map, { retry: null });
}

export function onRowsChanged(
  turn: Turn,
  from: NodeId,
  { n, again, parts }: RowsChanged,
  call: CallId | null,
): void {
  if (again) announceAgain(turn, ({ owner }) => owner === from);
  const unwanted: { map: string; partitionId: PartitionId }[] = [];
  for (const part of parts) {
    const { map, partitionId } = part;
    const feed = memoryOf(turn).feeds.get(map);
    if (!feed?.parts.has(partitionId) && !feed?.open.has(partitionId))
      unwanted.push({ map, partitionId });
    else onPart(turn, part);
  }
  const listens = memoryOf(turn).feeds.size > 0;
  turn.answer(call, { type: "ROWS_HEARD", n, listens, unwanted });
}

/** An owner before this one may still speak. */
function onPart(turn: Turn, part: FeedPart): void {
  const { map, partitionId, since, from, to } = part;
  const feed = feedOf(turn, map);
  const told: Position | undefined = feed.parts.get(partitionId);
  if (told && (since < told.since || (since === told.since && to < told.seq))) return;
  const isNext = told !== undefined && since === told.since && from <= told.seq;
  const seq = to;
  setFeed(turn, map, { parts: turn.own(feed.parts).set(partitionId, { since, seq }) });
  for (const name of feed.subscriptions)
    hearPart(turn, name, part, isNext ? null : (told ?? "first"));
}

/** Others are to be asked, each for all that it owns now. */
export function ownersChanged(turn: Turn, partitionIds: ReadonlySet<PartitionId>): void {
  announceAgain(turn, ({ partitionId }) => partitionIds.has(partitionId));
}

function announceAgain(turn: Turn, concerns: (ruling: Ruling) => boolean): void {
  for (const [map, { parts, open }] of memoryOf(turn).feeds) {
    const ids = [...new Set([...parts.keys(), ...open.keys()])];
    const theirs = ids.filter((id) => concerns(turn.partition(id).ruling));
    if (theirs.length > 0) ask(turn, map, theirs);
  }
}

export function pursueFeeds(turn: Turn): void {
  for (const [map, { open, retry }] of memoryOf(turn).feeds)
    if (retry && retry.at <= turn.now) announce(turn, map, [...open.keys()], retry.attempt + 1);
}
