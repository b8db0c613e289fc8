/**
 * Between nodes of two clusters of which one takes the other in. The loser's speak in rulings of the winner, so that
 * the winner's take their rows and operations as they take those of anybody.
 */
import type { ClusterMessage } from "../../protocol/cluster-messages.ts";
import type { Ruling } from "../../data/ruling.ts";
import { onRowOfferAck, offerAgain } from "../partition/struck.ts";
import type { Incoming } from "./events.ts";
import { onForwarded } from "./forward.ts";
import type { Turn } from "./turn.ts";
import { learnThere, ownerThere, setCession, wantTable } from "./winner.ts";

type Message = Extract<Incoming, { type: "message" }>;

/** What a node of a cluster that this one takes in may say; its members have that from their coordinator. */
const WELCOME: ReadonlySet<ClusterMessage["type"]> = new Set<ClusterMessage["type"]>([
  "ROW_OFFER",
  "OP_FORWARD",
]);

export const isWelcome = (turn: Turn, { clusterId, message, call }: Message): boolean =>
  call !== null &&
  WELCOME.has(message.type) &&
  (turn.state.saved.view.taken ?? []).includes(clusterId);

/** An answer from the cluster into which this one goes over. */
export const isFromWinner = (turn: Turn, { clusterId, call }: Message): boolean =>
  call === null && turn.self.ceding?.into === clusterId && clusterId !== turn.self.clusterId;

export function fromWinner(turn: Turn, { from, message }: Message): void {
  switch (message.type) {
    case "PARTITION_TABLE_UPDATE":
      setCession(turn, { fetch: null });
      return learn(turn, message.assignments);
    case "ROW_OFFER_ACK":
      learn(turn, [message.ruling]);
      if (!message.accepted) wantTable(turn);
      return onRowOfferAck(turn, message);
    case "OP_FORWARDED":
      learn(turn, message.notOwned);
      if (from !== "coordinator" && from !== "front") onForwarded(turn, from, message, true);
      return;
    default:
      return; // whoever waits asks again
  }
}

/** An offer to whoever owned it before is made to the new owner at once. */
function learn(turn: Turn, rulings: readonly Ruling[]): void {
  const offered = [...turn.memory.partitions].flatMap(([id, { offer }]) =>
    offer ? [{ id, owner: ownerThere(turn, id) }] : [],
  );
  learnThere(turn, rulings);
  for (const { id, owner } of offered) if (ownerThere(turn, id) !== owner) offerAgain(turn, id);
}
