/** What a node of a cluster that goes over into another, the winner, knows of that one: whose is what there. */
import type { NodeId, PartitionId } from "../../data/ids.ts";
import type { Ruling } from "../../data/ruling.ts";
import { retryAfter } from "../partition/streams.ts";
import { unruled, type Cession } from "./state.ts";
import type { Turn } from "./turn.ts";

export function setCession(turn: Turn, change: Partial<Cession>): void {
  turn.setMemory({ cession: { ...turn.memory.cession, ...change } });
}

export const rulingThere = (turn: Turn, partitionId: PartitionId): Ruling =>
  turn.memory.cession.rulings.get(partitionId) ?? unruled(partitionId).ruling;

export const ownerThere = (turn: Turn, partitionId: PartitionId): NodeId | null =>
  rulingThere(turn, partitionId).owner;

/**
 * Operations on it are the winner's: this node owned it last and has given it up, or all of this cluster is over.
 * Until every row of it is there they wait.
 */
export function isCeded(turn: Turn, partitionId: PartitionId): boolean {
  const { ceding } = turn.self;
  if (!ceding) return false;
  const { role, ruling } = turn.partition(partitionId);
  return role.type !== "owner" && (ruling.owner === turn.me || ceding.over);
}

/** Highest epochs win there as here. */
export function learnThere(turn: Turn, rulings: readonly Ruling[]): void {
  const news = rulings.filter(
    ({ partitionId, epoch }) => epoch > rulingThere(turn, partitionId).epoch,
  );
  if (news.length === 0) return;
  const known = new Map(turn.memory.cession.rulings);
  for (const ruling of news) known.set(ruling.partitionId, ruling);
  setCession(turn, { rulings: known });
}

/** Asks the winner's coordinator for its table, unless that is under way. */
export function wantTable(turn: Turn): void {
  if (!turn.memory.cession.fetch) fetchTable(turn, 0);
}

function fetchTable(turn: Turn, attempt: number): void {
  const { ceding } = turn.self;
  if (!ceding) return;
  setCession(turn, { fetch: retryAfter(turn, attempt) });
  turn.send("coordinator", { type: "FETCH_PARTITION_TABLE" }, ceding.into);
}

export function pursueTable(turn: Turn): void {
  const { fetch } = turn.memory.cession;
  if (fetch && fetch.at <= turn.now) fetchTable(turn, fetch.attempt + 1);
}
