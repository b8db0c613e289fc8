/**
 * A node that is no copy any more. It takes no rows of its own, offers the present owner every row that
 * the owner may lack, drops the table when each is acknowledged, and says so.
 */
import { Seq, type Epoch, type PartitionId } from "../../data/ids.ts";
import type { Row } from "../../data/row.ts";
import type { RowOfferAck, Strike } from "../../protocol/cluster-messages.ts";
import type { NodeTag } from "../node/events.ts";
import type { CallId } from "../machine/cluster-event.ts";
import { NO_ROLE, type Offer } from "../node/state.ts";
import type { Turn } from "../node/turn.ts";
import { rulingThere, wantTable } from "../node/winner.ts";
import type { Resume } from "../rows/effects.ts";
import { countRows, endPass, passOf } from "./pass.ts";
import { retryAfter } from "./streams.ts";

export function onStrike(turn: Turn, { ruling }: Strike, call: CallId | null): void {
  const { partitionId } = ruling;
  const { role, ruling: known } = turn.partition(partitionId);
  const { epoch } = known;
  const type = role.type === "none" ? "DROPPED" : "HEARD";
  turn.answer(call, { type, partitionId, nodeId: turn.me, epoch });
}

/** Begins, or goes on, or begins anew with another owner. */
export function offer(turn: Turn, partitionId: PartitionId): void {
  const { role, ruling } = turn.partition(partitionId);
  if (role.type === "owner") return scan(turn, partitionId, null);
  if (role.type !== "struck" || (ruling.owner === null && !turn.self.ceding)) return;
  if (role.at === ruling.owner && !role.foreign) return drop(turn, partitionId);
  scan(turn, partitionId, null);
}

function scan(turn: Turn, partitionId: PartitionId, after: Offer["after"]): void {
  const wanted = wantedOf(turn, partitionId);
  if (!wanted || after === "end") return;
  const { now, random } = turn;
  turn.do({
    type: "scan",
    partitionId,
    after,
    ...wanted,
    buckets: null,
    bytesMax: turn.config.chunkBytesMax,
    rowsMax: turn.config.chunkRowsMax,
    tag: { for: "offer", partitionId, now, random },
  });
}

/** Null: nothing is to be offered. */
function wantedOf(turn: Turn, partitionId: PartitionId): { cut: Seq; known: Resume } | null {
  const { role, ruling } = turn.partition(partitionId);
  if (role.type === "owner") return passOf(turn, partitionId) ?? null;
  if (role.type !== "struck") return null;
  // What its own owner has is not yet where its cluster goes.
  const isKnown = role.at === ruling.owner && (!turn.self.ceding || role.at === turn.me);
  const known: Resume = isKnown ? { cut: role.cut, after: "end" } : { cut: Seq(0), after: null };
  return { cut: turn.memory.seq, known };
}

/**
 * Only what came after the owner, as the copy of this node when that was owner, had the rest: which it may have dropped
 * since, and got anew from another. Since when this node was owner then; null: it is all there is to offer.
 */
function tailOf(turn: Turn, partitionId: PartitionId): Epoch | null {
  const { role, ruling } = turn.partition(partitionId);
  if (role.type !== "struck" || role.at !== ruling.owner || role.cut === 0) return null;
  return turn.self.ceding ? null : (role.ownedSince ?? null);
}

/** Everything wanted is where it was offered to. */
function finish(turn: Turn, partitionId: PartitionId): void {
  const pass = passOf(turn, partitionId);
  if (turn.partition(partitionId).role.type === "struck") return drop(turn, partitionId);
  if (!pass) return;
  endPass(turn, partitionId, pass);
  scan(turn, partitionId, null);
}

type OfferTag = Extract<NodeTag, { for: "offer" }>;

export function onOfferScanned(
  turn: Turn,
  { partitionId }: OfferTag,
  { rows, after }: { readonly rows: readonly Row[]; readonly after: Offer["after"] },
): void {
  if (!wantedOf(turn, partitionId)) return;
  if (rows.length === 0 && after === null && tailOf(turn, partitionId) === null)
    return finish(turn, partitionId);
  if (rows.length === 0 && after !== null) return scan(turn, partitionId, after);
  const offerId = turn.takeSeqs(1);
  const next: Offer = { offerId, after: after ?? "end", rows, retry: retryAfter(turn, 0) };
  countRows(turn, partitionId, rows.length);
  turn.setGoing(partitionId, { offer: next });
  sendOffer(turn, partitionId, next);
}

function sendOffer(turn: Turn, partitionId: PartitionId, { offerId, rows }: Offer): void {
  const { ceding } = turn.self;
  const ruling = ceding ? rulingThere(turn, partitionId) : turn.partition(partitionId).ruling;
  const tail = tailOf(turn, partitionId);
  const rest = tail !== null && ({ tail } as const);
  const message = { type: "ROW_OFFER", partitionId, offerId, ruling, rows, ...rest } as const;
  if (ruling.owner) turn.send(ruling.owner, message, ceding?.into);
}

export function onRowOfferAck(turn: Turn, ack: RowOfferAck): void {
  const { partitionId } = ack;
  const { offer: current } = turn.going(partitionId);
  // Listed again meanwhile, its rows may be all there are: what an offer was for is over.
  if (!wantedOf(turn, partitionId) || current?.offerId !== ack.offerId) return;
  if (ack.whole) return offerAll(turn, partitionId);
  if (!ack.accepted) return;
  turn.setGoing(partitionId, { offer: null });
  if (current.after === "end") finish(turn, partitionId);
  else scan(turn, partitionId, current.after);
}

function offerAll(turn: Turn, partitionId: PartitionId): void {
  const { role } = turn.partition(partitionId);
  if (role.type !== "struck") return;
  turn.setRole(partitionId, { ...role, cut: Seq(0) });
  turn.setGoing(partitionId, { offer: null });
  scan(turn, partitionId, null);
}

function drop(turn: Turn, partitionId: PartitionId): void {
  turn.do({ type: "drop-rows", partitionId });
  turn.setRole(partitionId, NO_ROLE);
  turn.setGoing(partitionId, { offer: null });
  const { epoch } = turn.partition(partitionId).ruling;
  turn.send("coordinator", { type: "DROPPED", partitionId, nodeId: turn.me, epoch });
}

export function pursueOffer(turn: Turn, partitionId: PartitionId): void {
  const { offer: current } = turn.going(partitionId);
  if (!current || current.retry.at > turn.now) return;
  // Whoever does not answer may own it no more.
  if (turn.self.ceding) wantTable(turn);
  offerAgain(turn, partitionId);
}

export function offerAgain(turn: Turn, partitionId: PartitionId): void {
  const { offer: current } = turn.going(partitionId);
  if (!wantedOf(turn, partitionId) || !current) return;
  const next = { ...current, retry: retryAfter(turn, current.retry.attempt + 1) };
  turn.setGoing(partitionId, { offer: next });
  sendOffer(turn, partitionId, next);
}
