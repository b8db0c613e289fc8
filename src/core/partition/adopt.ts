/**
 * Rows that another node holds and this owner may lack: merged like a write, streamed to the copies, and
 * acknowledged when they are as durable as a write would be.
 */
import type { PartitionId } from "../../data/ids.ts";
import type { Row } from "../../data/row.ts";
import type { RowOffer } from "../../protocol/cluster-messages.ts";
import type { MergedBatch } from "../rows/effects.ts";
import type { CallId } from "../machine/cluster-event.ts";
import type { AdoptReply } from "../node/requests.ts";
import type { Turn } from "../node/turn.ts";
import { holdBack, spread, waitOf } from "./spread.ts";
import { afterPull } from "./stream.ts";
import { pump, setStream } from "./streams.ts";

/** What another cluster gives up is held by its copies, too: it must not come to lie on one disk alone. */
export function onRowOffer(
  turn: Turn,
  offer: RowOffer,
  { call, abroad }: { readonly call: CallId | null; readonly abroad: boolean },
): void {
  const { partitionId, offerId, rows } = offer;
  if (call === null) return;
  const ack = abroad ? "backup" : "owner";
  if (turn.partition(partitionId).role.type === "owner")
    return adopt(turn, partitionId, rows, { type: "offer", call, offerId, ack });
  const { ruling } = turn.partition(partitionId);
  turn.answer(call, { type: "ROW_OFFER_ACK", partitionId, offerId, accepted: false, ruling });
}

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
  spread(turn, partitionId, changed);
  // Else a repair is under way to make the very copy equal that it would wait for.
  const wait = reply.type === "offer" ? waitOf(turn, partitionId, reply.ack) : null;
  if (wait) holdBack(turn, partitionId, wait, { type: "adopted", reply });
  else adopted(turn, partitionId, reply);
}

export function adopted(turn: Turn, partitionId: PartitionId, reply: AdoptReply): void {
  const { ruling, role } = turn.partition(partitionId);
  switch (reply.type) {
    case "offer": {
      const { call, offerId } = reply;
      const accepted = role.type === "owner";
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
