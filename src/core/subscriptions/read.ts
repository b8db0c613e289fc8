/**
 * Brings the client of a subscription up to date, partition by partition, from what it has:
 *
 *   nothing ────────────────────────────────────────► rows of all buckets ─┐
 *   a position of the present owner ──► what has changed since ────────────┼─► where the owner was, if that was one page
 *   one of another owner ──► its digests ──► ours ──► rows of those that ──┘   (of several: what has changed since the
 *                                                     differ                        │    first, till that is one page)
 *                                                                                   ▼
 *        up to date ◄── just where this node was told to be ── ahead of that ── or behind: what has changed since
 *
 * One question at a time for each subscription. A partition that is up to date costs nothing.
 */
import type { DigestKey } from "../../data/digest.ts";
import type { NodeId, PartitionId, Seq } from "../../data/ids.ts";
import { partitionOf } from "../../data/hash.ts";
import { FETCH_PARTITIONS_MAX, NODE_READINGS_MAX } from "../../protocol/limits.ts";
import type {
  ChangedPart,
  FeedPart,
  FetchedPage,
  FetchedRows,
  PartDigest,
  PartRead,
  Position,
  Query,
} from "../../protocol/subscription-messages.ts";
import type { SocketId } from "../node/requests.ts";
import type { Turn } from "../node/turn.ts";
import { retryAfter } from "../partition/streams.ts";
import { bucketCount, differing, noDigest, sumOf } from "../../data/bucket-digest.ts";
import { isNamed, toldAs } from "./filter.ts";
import { countReadings, memoryOf, remember, setSubscription } from "./memory.ts";
import type { Reading, Step, Subscription } from "./state.ts";

/** Everything, as one bucket of one. */
const ALL = { count: 1, which: [0] } as const;

// ------------------------------------------------------------------ where each partition is

/** Goes on from what the client has, as far as this node was told. */
export function begin(turn: Turn, name: string, partitionId: PartitionId): void {
  const subscription = memoryOf(turn).subscriptions.get(name);
  const reading = subscription?.readings.get(partitionId);
  if (!subscription || !reading) return;
  const step = nextStep(reading.position, toldOf(turn, subscription.query.map, partitionId));
  setReading(turn, name, partitionId, step && { ...reading, step });
}

/** Null: up to date. */
function nextStep(position: Position | null, told: Position | null): Step | null {
  if (!told) return { type: "waiting" };
  if (!position) return { type: "rows", buckets: ALL, begun: false, start: null, after: null };
  if (position.since !== told.since) return { type: "unasked" };
  if (position.seq === told.seq) return null;
  return position.seq > told.seq
    ? { type: "ahead" }
    : { type: "changes", from: null, start: null, after: null };
}

/** How far this node was told; null: not since it asked the present owner. */
function toldOf(turn: Turn, map: string, partitionId: PartitionId): Position | null {
  const feed = memoryOf(turn).feeds.get(map);
  if (!feed || feed.open.has(partitionId)) return null;
  return feed.parts.get(partitionId) ?? null;
}

/** Its client is asked at the end of the turn, or had all before it was told anything. */
const WORDLESS: ReadonlySet<Step["type"]> = new Set(["unasked", "ahead"]);

function setReading(
  turn: Turn,
  name: string,
  partitionId: PartitionId,
  reading: Reading | null,
): void {
  const subscription = memoryOf(turn).subscriptions.get(name);
  if (!subscription) return;
  const before = subscription.readings.size;
  const readings = turn.own(subscription.readings);
  if (reading) readings.set(partitionId, reading);
  else readings.delete(partitionId);
  if (!reading || WORDLESS.has(reading.step.type)) tell(turn, name);
  countReadings(turn, readings.size - before);
  setSubscription(turn, name, { ...subscription, readings });
}

function isAbout(turn: Turn, { keys }: Query, partitionId: PartitionId): boolean {
  const { partitionCount } = turn.self;
  return keys?.some((key) => partitionOf(key, partitionCount) === partitionId) ?? true;
}

// ------------------------------------------------------------------ what the owner tells

/** `missed`: what this node was told before, if something is missing in between; "first": nothing. */
export function hearPart(
  turn: Turn,
  name: string,
  part: FeedPart,
  missed: Position | "first" | null,
): void {
  const { partitionId } = part;
  const subscription = memoryOf(turn).subscriptions.get(name);
  if (!subscription || !isAbout(turn, subscription.query, partitionId)) return;
  const reading = subscription.readings.get(partitionId);
  if (!reading && missed === null) return deliver(turn, name, part);
  if (!reading) return fallBehind(turn, name, partitionId, missed === "first" ? null : missed);
  const { step } = reading;
  if (step.type === "waiting") begin(turn, name, partitionId);
  else if (step.type === "ahead") hearAhead(turn, name, part, reading.position);
  else if ("start" in step && step.start && step.start.since !== part.since)
    compare(turn, name, partitionId);
}

/** What its client has already it is not told again: that might be older than what it has. */
function hearAhead(turn: Turn, name: string, part: FeedPart, position: Position | null): void {
  const { partitionId, since, from, to } = part;
  if (!position || position.since !== since) return begin(turn, name, partitionId);
  if (to < position.seq) return;
  if (to > position.seq && from > position.seq) return begin(turn, name, partitionId);
  setReading(turn, name, partitionId, null);
  if (to > position.seq) deliver(turn, name, part);
}

function fallBehind(
  turn: Turn,
  name: string,
  partitionId: PartitionId,
  position: Position | null,
): void {
  const subscription = memoryOf(turn).subscriptions.get(name);
  if (!subscription) return;
  if (memoryOf(turn).readings >= NODE_READINGS_MAX) return giveUp(turn, subscription.socket);
  setReading(turn, name, partitionId, { position, step: { type: "waiting" } });
  begin(turn, name, partitionId);
}

/** There is no room to bring it up to date: its client says where it is when there is. */
function giveUp(turn: Turn, socket: SocketId): void {
  turn.forgotten.add(socket);
}

function deliver(turn: Turn, name: string, { partitionId, since, to, rows }: FeedPart): void {
  const subscription = memoryOf(turn).subscriptions.get(name);
  if (!subscription) return;
  const { query } = subscription;
  const told = toldAs(
    query,
    rows.filter((row) => isNamed(query, row)),
  );
  if (told.length === 0) return;
  const position = { since, seq: to };
  tell(turn, name, { partitionId, position, replaces: null, rows: told });
}

// ------------------------------------------------------------------ what is asked of owners

/** One question at a time, to one owner, about as many partitions as may be. */
export function pump(turn: Turn, name: string, attempt = 0): void {
  const subscription = memoryOf(turn).subscriptions.get(name);
  if (!subscription || subscription.fetchId !== null) return;
  const open = readsOf(turn, subscription);
  const to = [...open.keys()].find((owner) => owner !== null);
  const retry = open.size > 0 ? retryAfter(turn, attempt) : null;
  if (!to) return setSubscription(turn, name, { ...subscription, retry });
  const reads = (open.get(to) ?? []).slice(0, FETCH_PARTITIONS_MAX);
  const asked = new Map<PartitionId, Step>();
  for (const { partitionId } of reads) {
    const step = subscription.readings.get(partitionId)?.step;
    if (step) asked.set(partitionId, step);
  }
  const fetchId = turn.takeSeqs(1);
  setSubscription(turn, name, { ...subscription, fetchId, retry: null });
  // It is told at once if nobody hears: this is for what gets lost on its way.
  const pause = { at: turn.now + turn.config.retryMsMax, attempt };
  const fetches = turn.own(memoryOf(turn).fetches);
  remember(turn, { fetches: fetches.set(fetchId, { name, to, asked, retry: pause }) });
  turn.send(to, { type: "FETCH_ROWS", fetchId, query: subscription.query, reads });
}

/** What is to be read, by its owner. */
function readsOf(
  turn: Turn,
  { readings, salt }: Subscription,
): ReadonlyMap<NodeId | null, readonly PartRead[]> {
  const reads: PartRead[] = [];
  for (const [partitionId, { step, position }] of readings) {
    const read = readOf(salt, partitionId, step, position);
    if (read) reads.push(read);
  }
  return Map.groupBy(reads, ({ partitionId }) => turn.partition(partitionId).ruling.owner);
}

function readOf(
  salt: DigestKey,
  partitionId: PartitionId,
  step: Step,
  position: Position | null,
): PartRead | null {
  const from = step.type === "changes" ? (step.from ?? position) : null;
  if (step.type === "changes" && from)
    return { partitionId, after: step.after, want: { type: "changes", ...from } };
  if (step.type === "rows")
    return { partitionId, after: step.after, want: { type: "rows", ...step.buckets } };
  if (step.type !== "digest") return null;
  const count = bucketCount(step.theirs);
  return { partitionId, after: step.after, want: { type: "digest", count, salt } };
}

export function onFetchedRows(turn: Turn, from: NodeId, { fetchId, pages }: FetchedRows): void {
  const fetch = memoryOf(turn).fetches.get(fetchId);
  if (fetch?.to !== from) return;
  const subscription = endFetch(turn, fetchId);
  if (!subscription) return;
  for (const page of pages) {
    const step = memoryOf(turn).subscriptions.get(fetch.name)?.readings.get(page.partitionId)?.step;
    // It may have begun anew since it was asked for.
    if (step && step === fetch.asked.get(page.partitionId)) takePage(turn, fetch.name, page, step);
  }
  // Whoever knows the owner no better must not ask at once again.
  if (pages.length > 0) pump(turn, fetch.name);
  else pauseFetching(turn, fetch.name, fetch.retry.attempt + 1);
}

function pauseFetching(turn: Turn, name: string, attempt: number): void {
  const subscription = memoryOf(turn).subscriptions.get(name);
  if (subscription)
    setSubscription(turn, name, { ...subscription, retry: retryAfter(turn, attempt) });
}

function endFetch(turn: Turn, fetchId: Seq): Subscription | null {
  const fetches = turn.own(memoryOf(turn).fetches);
  const fetch = fetches.get(fetchId);
  fetches.delete(fetchId);
  remember(turn, { fetches });
  const subscription = fetch && memoryOf(turn).subscriptions.get(fetch.name);
  if (!fetch || subscription?.fetchId !== fetchId) return null;
  setSubscription(turn, fetch.name, { ...subscription, fetchId: null });
  return subscription;
}

/** `step`: which this is a part of. */
function takePage(turn: Turn, name: string, page: FetchedPage, step: Step): void {
  const { partitionId, since, seq, after, stale } = page;
  if (!("start" in step)) return;
  const start = step.start ?? { since, seq };
  if (stale || start.since !== since) return compare(turn, name, partitionId);
  if (step.type === "digest") return takeDigest(turn, name, page, { ...step, start, after });
  takeRows(turn, name, page, { ...step, start });
}

type Reads = Extract<Step, { start: Position | null }>;
type Begun<S extends Reads> = S & { readonly start: Position };

/**
 * Where the client is now. What was read page by page is not as it was at any one moment: what this node is told of after
 * `start` may be older than a page behind it.
 */
const reached = ({ seq, after }: FetchedPage, { start }: Begun<Reads>): Position | null =>
  after === null && start.seq === seq ? start : null;

function takeRows(
  turn: Turn,
  name: string,
  page: FetchedPage,
  step: Begun<Extract<Reads, { type: "changes" | "rows" }>>,
): void {
  const { partitionId, after, rows } = page;
  const position = reached(page, step);
  const replaces = step.type === "rows" && !step.begun ? step.buckets : null;
  // Where nothing has changed, nothing is told.
  const isAwaited = step.type === "rows" || step.from !== null || step.after !== null;
  const isNews = rows.length > 0 || (after === null && isAwaited);
  if (isNews) tell(turn, name, { partitionId, position, replaces, rows });
  const next = { ...step, after };
  const isBegun = isNews || replaces === null;
  goOn(turn, name, page, next.type === "rows" ? { ...next, begun: isBegun } : next);
}

/** On behind `after`; or it has all that there was when it began to read, and perhaps something newer. */
function goOn(turn: Turn, name: string, page: FetchedPage, step: Begun<Reads>): void {
  const { partitionId, after } = page;
  const reading = memoryOf(turn).subscriptions.get(name)?.readings.get(partitionId);
  if (!reading) return;
  if (after !== null) return setReading(turn, name, partitionId, { ...reading, step });
  const position = reached(page, step);
  if (!position) {
    const rest: Step = { type: "changes", from: step.start, start: null, after: null };
    return setReading(turn, name, partitionId, { ...reading, step: rest });
  }
  setReading(turn, name, partitionId, { ...reading, position });
  begin(turn, name, partitionId);
}

function takeDigest(
  turn: Turn,
  name: string,
  page: FetchedPage,
  step: Begun<Extract<Reads, { type: "digest" }>>,
): void {
  const { partitionId } = page;
  const { theirs, start } = step;
  const ours = page.digest ? sumOf(step.ours, page.digest) : step.ours;
  const which = differing(ours, theirs);
  if (page.after !== null || which.length === 0) {
    const position = reached(page, step);
    if (position) tell(turn, name, { partitionId, position, replaces: null, rows: [] });
    return goOn(turn, name, page, { ...step, ours });
  }
  const reading = memoryOf(turn).subscriptions.get(name)?.readings.get(partitionId);
  const buckets = { count: bucketCount(theirs), which };
  const rest: Step = { type: "rows", buckets, begun: false, start, after: null };
  if (reading) setReading(turn, name, partitionId, { ...reading, step: rest });
}

/** What its client has is of no one reign, or of none that is known here: it may have been given some pages of another owner's. */
function compare(turn: Turn, name: string, partitionId: PartitionId): void {
  const reading = memoryOf(turn).subscriptions.get(name)?.readings.get(partitionId);
  if (!reading) return;
  setReading(turn, name, partitionId, { ...reading, step: { type: "unasked" } });
}

/**
 * What the client of a subscription is asked now: nothing before it has answered what it was asked before. Each question takes
 * a frame of its credit to answer, and owners may change one by one.
 */
export function askNext(turn: Turn, name: string): readonly PartitionId[] {
  const subscription = memoryOf(turn).subscriptions.get(name);
  if (!subscription) return [];
  const inStep = (type: Step["type"]): readonly PartitionId[] =>
    [...subscription.readings].flatMap(([id, { step }]) => (step.type === type ? [id] : []));
  if (inStep("asked").length > 0) return [];
  const next = inStep("unasked");
  const readings = turn.own(subscription.readings);
  for (const partitionId of next) {
    const reading = readings.get(partitionId);
    if (reading) readings.set(partitionId, { ...reading, step: { type: "asked" } });
  }
  if (next.length > 0) setSubscription(turn, name, { ...subscription, readings });
  return next;
}

/** What the client has, by its own word. */
export function takeDigests(turn: Turn, name: string, parts: readonly PartDigest[]): void {
  for (const { partitionId, buckets: theirs } of parts) {
    const reading = memoryOf(turn).subscriptions.get(name)?.readings.get(partitionId);
    if (reading?.step.type !== "asked") continue;
    const ours = noDigest(bucketCount(theirs));
    const step = {
      type: "digest",
      theirs: theirs.slice(),
      ours,
      start: null,
      after: null,
    } as const;
    setReading(turn, name, partitionId, { ...reading, step });
  }
  tell(turn, name);
  pump(turn, name);
}

// ------------------------------------------------------------------ time

/** Nobody has heard it. */
export function onUndelivered(turn: Turn, fetchId: Seq): void {
  const fetch = memoryOf(turn).fetches.get(fetchId);
  if (fetch && endFetch(turn, fetchId)) pauseFetching(turn, fetch.name, fetch.retry.attempt + 1);
}

export function pursueReadings(turn: Turn): void {
  for (const [fetchId, { name, retry }] of memoryOf(turn).fetches)
    if (retry.at <= turn.now && endFetch(turn, fetchId)) pump(turn, name, retry.attempt + 1);
  for (const [name, { retry }] of memoryOf(turn).subscriptions)
    if (retry && retry.at <= turn.now) pump(turn, name, retry.attempt + 1);
}

// ------------------------------------------------------------------ what its client is told

/** At the end of the turn. With no parts: it is looked at whether its client is to be asked something, or has all. */
export function tell(turn: Turn, name: string, ...parts: readonly ChangedPart[]): void {
  const known = turn.toTell.get(name) ?? [];
  known.push(...parts);
  turn.toTell.set(name, known);
}
