/**
 * Which members are there: heard, asked, suspect, dead. A detector and complaints only make the coordinator ask;
 * who does not answer is suspect, who stays so is given up. A heartbeat overrides all of it.
 *
 *   silent, or one complaint ──► asked ──no answer, or two complain──► suspect ──suspicionTimeoutMs──► dead
 */
import type { NodeId } from "../../data/ids.ts";
import type { MemberInfo } from "../../data/members.ts";
import type { Heartbeat } from "../../protocol/cluster-messages.ts";
import type { FailureDetector } from "../detector/detector.ts";
import { markDead } from "./failover.ts";
import { voters } from "./quorum.ts";
import type { CoordinatorState } from "./state.ts";
import type { CoordinatorTurn } from "./turn.ts";
import { UNHEARD, type Watched } from "./watch-state.ts";

const watchedOf = (turn: CoordinatorTurn, nodeId: NodeId): Watched =>
  turn.memory.watch.members.get(nodeId) ?? UNHEARD;

function setWatched(turn: CoordinatorTurn, nodeId: NodeId, change: Partial<Watched>): void {
  const { watch } = turn.memory;
  const watched = { ...watchedOf(turn, nodeId), ...change };
  const members = new Map(watch.members).set(nodeId, watched);
  turn.setMemory({ watch: { ...watch, members } });
}

function setDetector(turn: CoordinatorTurn, detector: FailureDetector): void {
  const { watch } = turn.memory;
  if (watch.detector !== detector) turn.setMemory({ watch: { ...watch, detector } });
}

/** False for a heartbeat that a later one has overtaken. */
export function onBeat(turn: CoordinatorTurn, { senderId, beat, dormant }: Heartbeat): boolean {
  if (beat <= watchedOf(turn, senderId).beat) return false;
  setWatched(turn, senderId, { ...UNHEARD, beat, dormant });
  let { detector } = turn.memory.watch;
  detector = dormant ? detector.forget(senderId) : detector.heartbeat(senderId, turn.now);
  // While somebody works the others are expected to say that they do not.
  if (!dormant)
    for (const { nodeId } of present(turn.state))
      if (!watchedOf(turn, nodeId).dormant) detector = detector.watch(nodeId, turn.now);
  setDetector(turn, detector);
  if (!dormant) askTheDead(turn);
  return true;
}

/** It is there: what was suspected of its life before says nothing of this one. */
export function onReturn(turn: CoordinatorTurn, nodeId: NodeId): void {
  const { beat, dormant } = watchedOf(turn, nodeId);
  setWatched(turn, nodeId, { ...UNHEARD, beat, dormant });
}

/** One that only slept, or was cut off, may not know. Nobody wakes up for it: it waits until somebody works. */
function askTheDead(turn: CoordinatorTurn): void {
  for (const { nodeId, state } of turn.view.members) {
    const { askedAt } = watchedOf(turn, nodeId);
    if (state !== "dead" || turn.now - (askedAt ?? 0) < turn.config.heartbeatMs) continue;
    setWatched(turn, nodeId, { askedAt: turn.now });
    turn.send(nodeId, { type: "PROBE" });
  }
}

/** Whoever may be given up; who joins once more may own what it owned before. */
export const present = (state: CoordinatorState): readonly MemberInfo[] =>
  voters(state).filter((member) => member.state !== "dead");

/** From a node, or from the front by its own name. */
export function onComplaint(turn: CoordinatorTurn, suspectId: NodeId, complainer: string): void {
  if (complainer === suspectId || !present(turn.state).some(({ nodeId }) => nodeId === suspectId))
    return;
  const { askedAt, complainers } = watchedOf(turn, suspectId);
  setWatched(turn, suspectId, {
    askedAt: askedAt ?? turn.now,
    complainers: [...new Set([...complainers, complainer])],
  });
}

/** The call itself failed: there is no answer to wait for. */
export function onProbeFailed(turn: CoordinatorTurn, nodeId: NodeId): void {
  const { askedAt } = watchedOf(turn, nodeId);
  if (askedAt === null) return;
  setWatched(turn, nodeId, { askedAt: Math.min(askedAt, turn.now - turn.config.probeTimeoutMs) });
}

/** Asks whoever has been silent for too long. Nothing of it is saved. */
export function askSilent(turn: CoordinatorTurn): void {
  const { detector } = turn.memory.watch;
  for (const { nodeId, state } of present(turn.state)) {
    const { askedAt } = watchedOf(turn, nodeId);
    const isAlive = detector.isAlive(nodeId, turn.now);
    if (askedAt === null && (state === "suspect" || !isAlive))
      setWatched(turn, nodeId, { askedAt: turn.now });
    if (watchedOf(turn, nodeId).askedAt !== null)
      turn.pursue(`probe ${nodeId}`, nodeId, { type: "PROBE" });
  }
}

/** What the view says of who does not answer. */
export function judge(turn: CoordinatorTurn): void {
  const { probeTimeoutMs, suspicionTimeoutMs } = turn.config;
  const gone: NodeId[] = [];
  for (const { nodeId, state } of present(turn.state)) {
    const { askedAt, suspectAt, complainers } = watchedOf(turn, nodeId);
    if (askedAt === null) continue;
    const isGone = complainers.length >= 2 || turn.now - askedAt >= probeTimeoutMs;
    if (suspectAt === null && (isGone || state === "suspect")) {
      setWatched(turn, nodeId, { suspectAt: turn.now });
      if (state === "active") turn.setMember(nodeId, { state: "suspect" });
    } else if (suspectAt !== null && turn.now - suspectAt >= suspicionTimeoutMs) {
      setDetector(turn, turn.memory.watch.detector.forget(nodeId));
      gone.push(nodeId);
    }
  }
  if (gone.length > 0) markDead(turn, gone);
}

/** When a member that is asked becomes suspect, or one that is suspect dead; only what is still to come. */
export function judgeAt(state: CoordinatorState): number {
  const { memory, config } = state;
  let earliest = Infinity;
  for (const { nodeId } of present(state)) {
    const { askedAt = null, suspectAt = null } = memory.watch.members.get(nodeId) ?? {};
    for (const at of [
      suspectAt === null && askedAt !== null ? askedAt + config.probeTimeoutMs : Infinity,
      suspectAt === null ? Infinity : suspectAt + config.suspicionTimeoutMs,
    ])
      if (at > memory.now) earliest = Math.min(earliest, at);
  }
  return earliest;
}

/** When somebody has been silent for too long. Nothing to wake up for once the memory is gone. */
export function silenceAt(state: CoordinatorState): number | null {
  const { detector, members } = state.memory.watch;
  let earliest = Infinity;
  for (const { nodeId } of present(state)) {
    if ((members.get(nodeId)?.askedAt ?? null) !== null) continue;
    earliest = Math.min(earliest, detector.aliveUntil(nodeId) ?? Infinity);
  }
  return earliest === Infinity ? null : earliest;
}
