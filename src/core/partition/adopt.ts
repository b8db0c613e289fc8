/**
 * Rows that another node holds and this owner may lack: merged like a write, streamed to the copies, and
 * acknowledged when they are as durable as a write would be.
 */
import type { NodeId, PartitionId } from "../../data/ids.ts";
import { mayBeDeletedSince, type Row } from "../../data/row.ts";
import type { Ruling } from "../../data/ruling.ts";
import type { RowOffer, RowOfferAck } from "../../protocol/cluster-messages.ts";
import type { AckLevel } from "../../protocol/ops.ts";
import type { MergedBatch } from "../rows/effects.ts";
import type { CallId } from "../machine/cluster-event.ts";
import type { AdoptReply } from "../node/requests.ts";
import type { Turn } from "../node/turn.ts";
import { publish } from "../subscriptions/publish.ts";
import { canHaveBackup, hasBackup } from "./backup.ts";
import { noteRows } from "./compare.ts";
import { holdBack, isUnsure, spread, waitOf } from "./spread.ts";
import { afterPull } from "./stream.ts";
import { pump, setStream } from "./streams.ts";

/**
 * `from`: null for a node of another cluster. What that one gives up is held by its copies, too: it must not come to
 * lie on one disk alone.
 */
export function onRowOffer(
  turn: Turn,
  from: NodeId | null,
  offer: RowOffer,
  call: CallId | null,
): void {
  const { partitionId, offerId } = offer;
  if (call === null) return;
  const ack = from === null ? "backup" : "owner";
  const { role, ruling } = turn.partition(partitionId);
  if (offer.tail !== undefined && role.type === "owner" && role.heirOf !== offer.tail)
    return turn.answer(call, { ...refusalOf(offer, ruling), whole: true });
  const rows = takenOf(turn, from, offer);
  if (rows) return adopt(turn, partitionId, rows, { type: "offer", call, offerId, ack });
  turn.answer(call, refusalOf(offer, ruling));
}

const refusalOf = ({ partitionId, offerId }: RowOffer, ruling: Ruling): RowOfferAck => ({
  type: "ROW_OFFER_ACK",
  partitionId,
  offerId,
  accepted: false,
  ruling,
});

/**
 * Null: not here, or not under this ruling. A deletion is forgotten only while nobody else holds a row, so whoever
 * offers old ones was struck since; else the offer is one from before that comes late, or of a node evicted by force.
 */
function takenOf(
  turn: Turn,
  from: NodeId | null,
  { partitionId, ruling: known, rows }: RowOffer,
): readonly Row[] | null {
  const { role, ruling } = turn.partition(partitionId);
  if (role.type !== "owner") return null;
  if (from === null || !rows.some((row) => mayBeForgotten(turn, row))) return rows;
  const { members } = turn.state.saved.view;
  const isMember = members.some(({ nodeId }) => nodeId === from);
  if (isMember && known.epoch < ruling.epoch) return null;
  const isHolder = isMember && (role.collected?.epoch ?? 0) < ruling.epoch;
  return isHolder ? rows : rows.filter((row) => !mayBeForgotten(turn, row));
}

/** So old that a deletion which came after it may be forgotten. */
export const mayBeForgotten = (turn: Turn, row: Pick<Row, "kind" | "stamp">): boolean =>
  mayBeDeletedSince(row, turn.now - turn.config.tombstoneRetentionMs);

export function adopt(
  turn: Turn,
  partitionId: PartitionId,
  rows: readonly Row[],
  reply: AdoptReply,
): void {
  turn.hearStamps(rows);
  const { now, random } = turn;
  const tag = { for: "adopt", partitionId, rows, reply, now, random } as const;
  turn.do({
    type: "merge",
    batches: [{ partitionId, rows, seq: turn.takeSeqs(rows.length) }],
    tag,
  });
}

export function onAdopted(
  turn: Turn,
  partitionId: PartitionId,
  { rows, reply }: { readonly rows: readonly Row[]; readonly reply: AdoptReply },
  batch: MergedBatch | undefined,
): void {
  const changed = rows.filter((_, i) => batch?.outcomes[i]?.changed);
  if (batch) publish(turn, batch, rows);
  if (reply.type === "pulled") noteRows(turn, partitionId, { taken: changed.length });
  // A copy that has not been compared may lack also what changed nothing here.
  const isSure = reply.type !== "offer" || !isUnsure(turn, partitionId, reply.ack);
  spread(turn, partitionId, isSure ? changed : rows);
  // Else a repair is under way to make the very copy equal that it would wait for.
  const wait = reply.type === "offer" ? waitOf(turn, partitionId, reply.ack) : null;
  if (wait) holdBack(turn, partitionId, wait, { type: "adopted", reply });
  else adopted(turn, partitionId, reply);
}

/** The backup that was waited for may have been struck meanwhile; where there is to be another one, that must come first. */
const isKeptAs = (turn: Turn, partitionId: PartitionId, ack: AckLevel): boolean =>
  ack === "owner" || hasBackup(turn, partitionId) || !canHaveBackup(turn);

export function adopted(turn: Turn, partitionId: PartitionId, reply: AdoptReply): void {
  const { ruling, role } = turn.partition(partitionId);
  switch (reply.type) {
    case "offer": {
      const { call, offerId, ack } = reply;
      const accepted = role.type === "owner" && isKeptAs(turn, partitionId, ack);
      return turn.answer(call, { type: "ROW_OFFER_ACK", partitionId, offerId, accepted, ruling });
    }
    case "late-item": {
      const { call, streamId } = reply;
      return turn.answer(call, {
        type: "STREAM_ACK",
        partitionId,
        streamId,
        status: "unknown",
        next: 0,
        ruling,
      });
    }
    case "pulled": {
      const stream = turn.going(partitionId).streams.get(reply.from);
      if (stream?.streamId !== reply.streamId) return;
      setStream(turn, partitionId, afterPull(stream, reply.after));
      return pump(turn, partitionId, reply.from);
    }
  }
}
