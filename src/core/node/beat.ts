/**
 * Heartbeats: every `heartbeatMs` while this node has traffic or something unfinished. Then it says once that it is
 * dormant, and is silent until it has something to do again. The timer is lost with the memory: who has forgotten
 * that it works has nothing to do until it is asked.
 */
import type { NodeId } from "../../data/ids.ts";
import type { ClusterMessage, Heartbeat } from "../../protocol/cluster-messages.ts";
import type { Incoming } from "./events.ts";
import { isImporting, isMigrating } from "./migrations.ts";
import type { NodeState } from "./state.ts";
import type { Turn } from "./turn.ts";
import { wakeAt } from "./wake-at.ts";

/** Heartbeats set aside at a time: one saved row per so many. */
const BEAT_BLOCK = 1_024;

/** The pauses of a stream grow: by then 1.25 s have passed at least, and about 5 s as a rule. */
const ASKED_IN_VAIN = 5;

/** What clients, copying and offering come as. What the coordinator says by itself keeps nobody awake. */
const WORK: ReadonlySet<ClusterMessage["type"]> = new Set<ClusterMessage["type"]>([
  "OP_FORWARD",
  "OP_FORWARDED",
  "SCAN",
  "MIGRATE_START",
  "MIGRATE_DATA",
  "STREAM_ACK",
  "PULL_ROWS",
  "PULLED_ROWS",
  "ROW_OFFER",
  "ROW_OFFER_ACK",
]);

/** At the end of every event from outside. */
export function beat(turn: Turn, event: Incoming): void {
  const { nextAt } = turn.memory.beat;
  if (turn.self.membership !== "member") {
    if (nextAt !== null) setBeat(turn, { nextAt: null });
    return;
  }
  if (isWork(event)) setBeat(turn, { workAt: turn.now });
  else if (nextAt === null) return;
  const { heartbeatMs, idleAfterMs } = turn.config;
  // Further off than that, and the clock has been set back.
  if (nextAt !== null && nextAt > turn.now && nextAt - turn.now <= heartbeatMs) return;
  const isIdle = turn.now - turn.memory.beat.workAt >= idleAfterMs && wakeAt(turn.state) === null;
  setBeat(turn, { nextAt: isIdle ? null : turn.now + heartbeatMs });
  if (!isIdle) complain(turn);
  const message = heartbeat(turn);
  // It says no more, so whatever it says later must count for more than this.
  if (isIdle) turn.setSelf({ beats: message.beat });
  turn.send("coordinator", message);
}

const isWork = (event: Incoming): boolean =>
  event.type === "frames" || (event.type === "message" && WORK.has(event.message.type));

function setBeat(turn: Turn, change: Partial<NodeState["memory"]["beat"]>): void {
  turn.setMemory({ beat: { ...turn.memory.beat, ...change } });
}

export const beatAt = ({ memory }: NodeState): number | null => memory.beat.nextAt;

export function heartbeat(turn: Turn): Heartbeat {
  const { nodeId, incarnation, tableVersion } = turn.self;
  const { saved } = turn.state;
  const ids = [...saved.partitions.keys()];
  return {
    type: "HEARTBEAT",
    senderId: nodeId,
    timestampMs: turn.now,
    incarnation,
    membersViewVersion: saved.view.version,
    tableVersion,
    beat: takeBeat(turn),
    dormant: turn.memory.beat.nextAt === null,
    suspectedNodes: silentPeers(turn),
    importing: ids.filter((id) => isImporting(saved, id)),
    migrating: ids.filter((id) => isMigrating(saved, id)),
  };
}

function takeBeat(turn: Turn): number {
  const counter = turn.memory.beat.counter + 1;
  setBeat(turn, { counter });
  if (counter > turn.self.beats) turn.setSelf({ beats: counter + BEAT_BLOCK });
  return counter;
}

/** Members that have left something of this node's unanswered for long: what was passed on, or what copies need. */
function silentPeers(turn: Turn): NodeId[] {
  const { maxNoHeartbeatMs } = turn.config;
  const silent = new Set(silentOwners(turn));
  for (const { streams, held } of turn.memory.partitions.values()) {
    for (const { to, retry } of streams.values())
      if ((retry?.attempt ?? 0) >= ASKED_IN_VAIN) silent.add(to);
    const oldest = held.first();
    if (oldest && turn.now - oldest.since >= maxNoHeartbeatMs)
      for (const nodeId of oldest.wait.all.keys()) silent.add(nodeId);
  }
  const { members } = turn.state.saved.view;
  return members.map(({ nodeId }) => nodeId).filter((id) => id !== turn.me && silent.has(id));
}

/** Not of another cluster, whose nodes may be called like ours. */
function silentOwners(turn: Turn): NodeId[] {
  const { maxNoHeartbeatMs, forwardTimeoutMs } = turn.config;
  const silent: NodeId[] = [];
  for (const [, { to, abroad, deadline }] of turn.memory.forwards)
    if (to && !abroad && turn.now - (deadline - forwardTimeoutMs) >= maxNoHeartbeatMs)
      silent.push(to);
  return silent;
}

function complain(turn: Turn): void {
  const { version } = turn.state.saved.view;
  for (const suspectId of silentPeers(turn))
    turn.send("coordinator", {
      type: "HEARTBEAT_COMPLAINT",
      complainerId: turn.me,
      complainerViewVersion: version,
      suspectId,
      suspectViewVersion: version,
    });
}
