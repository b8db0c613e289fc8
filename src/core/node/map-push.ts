/**
 * Clients hear of every change of the map: the first at once, those that follow within `mapPushMs` together.
 * What a push would say is worked out when it is made, so nothing is kept for clients, and a push that a crash
 * took with it is made good by the next: it starts from what each client knows.
 */
import type { PartitionId, Version } from "../../data/ids.ts";
import type { MapVersions } from "../../data/map-delta.ts";
import type { MembersView } from "../../data/members.ts";
import type { FetchMap, MapDeltaMessage, MapMessage } from "../../protocol/client-messages.ts";
import { differingNodes, newsFor, versionsIn, type MapNews } from "./map-delta.ts";
import { noHistory, record } from "./map-history.ts";
import { mapOf } from "./pending.ts";
import type { Session, SocketId } from "./requests.ts";
import type { Turn } from "./turn.ts";

/** At the end of every event from outside. */
export function pushMap(turn: Turn, woke: boolean): void {
  const { memory, self, config } = turn;
  const { map } = memory;
  if (!map.audience) return skip(turn);
  // An alarm may be about a push that was due before this object slept.
  const due = isNews(turn, map.pushed) || (woke && !map.sure);
  // Who has left has no clients, and wants to sleep.
  if (!due || self.membership !== "member") return plan(turn, null);
  const quietMs = map.quietUntil - turn.now;
  // More than that, and the clock has been set back.
  if (quietMs > 0 && quietMs <= config.mapPushMs) return plan(turn, map.quietUntil);
  turn.do({ type: "push-map", news: newsOf(turn), only: null });
  const pushed = versionsOf(turn);
  const quietUntil = turn.now + config.mapPushMs;
  turn.setMemory({ map: { ...map, pushed, sure: true, quietUntil, pushAt: null } });
}

/** Whoever comes is told all that is known by then. */
function skip(turn: Turn): void {
  const { map } = turn.memory;
  if (isNews(turn, map.pushed) || !map.sure || map.pushAt !== null)
    turn.setMemory({ map: { ...map, pushed: versionsOf(turn), sure: true, pushAt: null } });
}

function plan(turn: Turn, pushAt: number | null): void {
  const { map } = turn.memory;
  if (map.pushAt !== pushAt) turn.setMemory({ map: { ...map, pushAt } });
}

const isNews = (turn: Turn, { version, viewVersion }: MapVersions): boolean =>
  version !== turn.self.tableVersion || viewVersion !== turn.state.saved.view.version;

const newsOf = (turn: Turn): MapNews => ({
  saved: turn.state.saved,
  partitions: turn.memory.map.partitions,
  nodes: turn.memory.map.nodes,
  now: turn.now,
});

/** Of the map that this node would send now. */
const versionsOf = (turn: Turn): MapVersions => ({
  version: turn.self.tableVersion,
  viewVersion: turn.state.saved.view.version,
});

export function noteAudience(turn: Turn, audience: boolean): void {
  const { map } = turn.memory;
  if (map.audience !== audience) turn.setMemory({ map: { ...map, audience } });
}

/** What a client was not told while it had too much to read. */
export function pushOwed(turn: Turn, socket: SocketId): void {
  turn.do({ type: "push-map", news: newsOf(turn), only: socket });
}

/** The coordinator's word on all that was ruled up to this version. */
export function noteRulings(turn: Turn, version: Version, ids: readonly PartitionId[]): void {
  const { map } = turn.memory;
  const partitions = record(map.partitions, version, ids, turn.config.mapHistoryMax);
  turn.setMemory({ map: { ...map, partitions } });
}

export function noteView(turn: Turn, before: MembersView, after: MembersView): void {
  const { map } = turn.memory;
  const ids = differingNodes(before, after);
  const nodes = record(map.nodes, after.version, ids, turn.config.mapHistoryMax);
  turn.setMemory({ map: { ...map, nodes } });
}

/** With the whole table and view a history begins. */
export function noteJoined(turn: Turn): void {
  const { version, viewVersion } = versionsOf(turn);
  const { map } = turn.memory;
  const [partitions, nodes] = [noHistory(version), noHistory(viewVersion)];
  turn.setMemory({ map: { ...map, partitions, nodes } });
}

/** What the client lacks by its own word, which counts for more than what it was sent. */
export function answerFetch(
  turn: Turn,
  socket: SocketId,
  session: Session,
  { version, viewVersion = session.viewVersion }: FetchMap,
): void {
  const message: MapMessage | MapDeltaMessage =
    version === undefined
      ? { type: "MAP", map: mapOf(turn) }
      : newsFor(newsOf(turn), { version, viewVersion });
  const known = versionsIn(message);
  turn.do({ type: "push", socket, message });
  turn.do({
    type: "attach",
    socket,
    session: { ...session, mapVersion: known.version, viewVersion: known.viewVersion },
  });
}
