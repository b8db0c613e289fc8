/**
 * An owner tells other nodes of changes: those that have said what they want to hear, one message at a time to each. What
 * changes meanwhile goes together, the newest of each row; beyond a bound only that something has changed is told,
 * and whoever needs it fetches. So no node that is slow or gone costs more than that.
 *
 *   INTEREST ──► position     ROWS_CHANGED (from, to] ──► ROWS_HEARD     lost: (to, to], which shows the gap
 *
 * Who listens is saved, as names of nodes: an owner that has lost its memory asks them what they want to hear before it
 * changes anything more. What they want is not saved.
 */
import type { NodeId, PartitionId } from "../../data/ids.ts";
import { isOfMap, rowBytes, type Row } from "../../data/row.ts";
import { makeError } from "../../protocol/errors.ts";
import {
  INTERESTS_MAX,
  OUTLET_BYTES_MAX,
  OUTLET_ROWS_MAX,
  OUTLETS_BYTES_MAX,
} from "../../protocol/limits.ts";
import type {
  FeedPart,
  Interest,
  PartPosition,
  Position,
  RowsHeard,
} from "../../protocol/subscription-messages.ts";
import type { CallId } from "../machine/cluster-event.ts";
import type { Turn } from "../node/turn.ts";
import { retryAfter } from "../partition/streams.ts";
import type { MergedBatch } from "../rows/effects.ts";
import { identityKey } from "../rows/identity-key.ts";
import { memoryOf, remember } from "./memory.ts";
import type { Interested, Outlet } from "./state.ts";

const NO_OUTLET: Outlet = {
  n: null,
  sent: [],
  waiting: new Map(),
  bytes: 0,
  again: false,
  retry: null,
};

// ------------------------------------------------------------------ who listens

export function onInterest(
  turn: Turn,
  from: NodeId,
  { n, map, partitionIds }: Interest,
  call: CallId | null,
): void {
  // Whoever is no member here is forgotten as soon as it does not answer, and would not know: it asks again.
  const isOwned = (id: PartitionId): boolean => turn.partition(id).role.type === "owner";
  const owned = isMember(turn, from) ? partitionIds.filter(isOwned) : [];
  const value = interestCount(turn) + owned.length;
  if (value > INTERESTS_MAX) {
    const error = makeError("OVERLOADED", { field: "interests", value, max: INTERESTS_MAX });
    return turn.answer(call, { type: "ERROR", error });
  }
  const { interests } = memoryOf(turn);
  const next = new Map(interests);
  const positions: PartPosition[] = [];
  for (const partitionId of owned) {
    const maps = next.get(partitionId) ?? new Map<string, Interested>();
    const known = maps.get(map);
    const nodes = new Map(known?.nodes).set(from, turn.memory.seq);
    next.set(partitionId, new Map(maps).set(map, { last: known?.last ?? turn.memory.seq, nodes }));
    positions.push({ partitionId, ...positionOf(turn, partitionId) });
  }
  remember(turn, { interests: next });
  // It may listen to others, also such as are not known any more since the start.
  if (owned.length > 0) listenTo(turn, from, true);
  const lacking = partitionIds.filter((id) => !isOwned(id));
  const notOwned = lacking.map((id) => turn.partition(id).ruling);
  turn.answer(call, { type: "INTERESTED", n, map, positions, notOwned });
}

const isMember = (turn: Turn, node: NodeId): boolean =>
  turn.state.saved.view.members.some(({ nodeId }) => nodeId === node);

/** Everything that has been stored of this partition so far. */
export const positionOf = (turn: Turn, partitionId: PartitionId): Position => ({
  since: turn.partition(partitionId).ruling.since,
  seq: turn.memory.seq,
});

function interestCount(turn: Turn): number {
  let count = 0;
  for (const maps of memoryOf(turn).interests.values())
    for (const { nodes } of maps.values()) count += nodes.size;
  return count;
}

/** Saved before it is answered: whoever was answered is asked again. */
function listenTo(turn: Turn, node: NodeId, listens: boolean): void {
  const { listeners } = turn.self;
  if (listens === listeners.includes(node)) return;
  const others = listeners.filter((id) => id !== node);
  turn.setSelf({ listeners: listens ? [...others, node] : others });
}

/** It owns this partition no more: whoever follows it asks the next owner. */
export function forgetInterests(turn: Turn, partitionId: PartitionId): void {
  if (!memoryOf(turn).interests.has(partitionId)) return;
  const interests = new Map(memoryOf(turn).interests);
  interests.delete(partitionId);
  remember(turn, { interests });
}

// ------------------------------------------------------------------ what they are told

/** What has changed here with these rows: all that did in this partition after what was told before. */
export function publish(
  turn: Turn,
  { partitionId, outcomes, upTo }: MergedBatch,
  rows: readonly Row[],
): void {
  if (turn.self.listeners.length === 0) return;
  const changed = rows.filter((row, i) => outcomes[i]?.changed && isOfMap(row));
  if (changed.length === 0) return;
  askAgain(turn);
  const maps = memoryOf(turn).interests.get(partitionId);
  if (!maps) return;
  const next = new Map(maps);
  for (const [map, news] of Map.groupBy(changed, (row) => row.map)) {
    const known = maps.get(map);
    if (!known) continue;
    const { since } = turn.partition(partitionId).ruling;
    const part = { map, partitionId, since, from: known.last, to: upTo, rows: newest(news) };
    for (const node of known.nodes.keys()) add(turn, node, part);
    next.set(map, { ...known, last: upTo });
  }
  remember(turn, { interests: turn.own(memoryOf(turn).interests).set(partitionId, next) });
}

/** After a start: what was under way may be lost, and what they want to hear is. */
export function askAgain(turn: Turn): void {
  if (!memoryOf(turn).asleep) return;
  remember(turn, { asleep: false });
  for (const node of turn.self.listeners)
    setOutlet(turn, node, { ...outletOf(turn, node), again: true });
}

const newest = (rows: readonly Row[]): readonly Row[] => [
  ...new Map(rows.map((row) => [identityKey(row), row])).values(),
];

const outletOf = (turn: Turn, node: NodeId): Outlet =>
  memoryOf(turn).outlets.get(node) ?? NO_OUTLET;

const nameOf = ({ partitionId, map }: FeedPart): string => `${partitionId} ${map}`;

function add(turn: Turn, node: NodeId, part: FeedPart): void {
  const outlet = outletOf(turn, node);
  const name = nameOf(part);
  const before = outlet.waiting.get(name);
  // Of an earlier reign it is worth nothing: others have changed these rows since, and followers have compared.
  const joined =
    before?.since === part.since
      ? { ...part, from: before.from, rows: newest([...before.rows, ...part.rows]) }
      : part;
  const rest = outlet.bytes - bytesOf(before);
  const isTooMuch =
    joined.rows.length > OUTLET_ROWS_MAX ||
    rest + bytesOf(joined) > OUTLET_BYTES_MAX ||
    waitingBytes(turn) + bytesOf(part) > OUTLETS_BYTES_MAX;
  const told = isTooMuch ? gapAt(joined) : joined;
  const waiting = new Map(outlet.waiting).set(name, told);
  setOutlet(turn, node, { ...outlet, waiting, bytes: rest + bytesOf(told) });
}

function waitingBytes(turn: Turn): number {
  let bytes = 0;
  for (const outlet of memoryOf(turn).outlets.values()) bytes += outlet.bytes;
  return bytes;
}

/** That something has changed, and not what. */
const gapAt = (part: FeedPart): FeedPart => ({ ...part, from: part.to, rows: [] });

const bytesOf = (part: FeedPart | undefined): number =>
  (part?.rows ?? []).reduce((sum, row) => sum + rowBytes(row), 0);

/** Sends what waits, unless something is under way. */
function setOutlet(turn: Turn, node: NodeId, outlet: Outlet): void {
  const isDue = outlet.n === null && (outlet.waiting.size > 0 || outlet.again);
  const next = isDue ? send(turn, node, outlet) : outlet;
  const outlets = new Map(memoryOf(turn).outlets);
  if (next.n === null && next.waiting.size === 0) outlets.delete(node);
  else outlets.set(node, next);
  remember(turn, { outlets });
}

function send(turn: Turn, node: NodeId, outlet: Outlet, attempt = 0): Outlet {
  const n = turn.takeSeqs(1);
  const parts = [...outlet.waiting.values()];
  turn.send(node, { type: "ROWS_CHANGED", n, again: outlet.again, parts });
  const retry = retryAfter(turn, attempt);
  return { ...outlet, n, sent: parts.map(gapAt), waiting: new Map(), bytes: 0, retry };
}

export function onRowsHeard(turn: Turn, from: NodeId, { n, listens, unwanted }: RowsHeard): void {
  const outlet = memoryOf(turn).outlets.get(from);
  if (outlet?.n !== n) return;
  for (const { map, partitionId } of unwanted)
    // It may have been said before an interest that has come since this was sent.
    if (interestOf(turn, from, map, partitionId) < n) loseInterest(turn, from, map, partitionId);
  setOutlet(turn, from, { ...outlet, n: null, sent: [], again: false, retry: null });
  if (!listens && !isListening(turn, from)) listenTo(turn, from, false);
}

/** When it was said. */
function interestOf(turn: Turn, from: NodeId, map: string, partitionId: PartitionId): number {
  const { interests } = memoryOf(turn);
  return interests.get(partitionId)?.get(map)?.nodes.get(from) ?? -Infinity;
}

function loseInterest(turn: Turn, from: NodeId, map: string, partitionId: PartitionId): void {
  const { interests } = memoryOf(turn);
  const maps = interests.get(partitionId);
  const known = maps?.get(map);
  if (!maps || !known?.nodes.has(from)) return;
  const nodes = new Map(known.nodes);
  nodes.delete(from);
  const next = new Map(maps);
  if (nodes.size > 0) next.set(map, { ...known, nodes });
  else next.delete(map);
  remember(turn, { interests: new Map(interests).set(partitionId, next) });
}

function isListening(turn: Turn, node: NodeId): boolean {
  for (const maps of memoryOf(turn).interests.values())
    for (const { nodes } of maps.values()) if (nodes.has(node)) return true;
  return false;
}

/** Not answered in time: what was sent may be lost, so the next message shows a gap there. */
export function pursueOutlets(turn: Turn): void {
  for (const [node, outlet] of memoryOf(turn).outlets) {
    if (!outlet.retry || outlet.retry.at > turn.now) continue;
    if (!isMember(turn, node)) {
      forgetNode(turn, node);
      continue;
    }
    const waiting = new Map(outlet.waiting);
    for (const part of outlet.sent) {
      const name = nameOf(part);
      if (!waiting.has(name)) waiting.set(name, part);
    }
    const again = send(turn, node, { ...outlet, waiting }, outlet.retry.attempt + 1);
    remember(turn, { outlets: new Map(memoryOf(turn).outlets).set(node, again) });
  }
}

function forgetNode(turn: Turn, node: NodeId): void {
  const outlets = new Map(memoryOf(turn).outlets);
  outlets.delete(node);
  remember(turn, { outlets });
  for (const [partitionId, maps] of memoryOf(turn).interests)
    for (const map of maps.keys()) loseInterest(turn, node, map, partitionId);
  listenTo(turn, node, false);
}

export function outletsAt({ outlets }: { outlets: ReadonlyMap<NodeId, Outlet> }): number {
  let earliest = Infinity;
  for (const { retry } of outlets.values()) earliest = Math.min(earliest, retry?.at ?? Infinity);
  return earliest;
}
