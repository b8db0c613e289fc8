/**
 * Time in a model: what is to happen later is either due or not, and pauses have no length. After every event all
 * timers are put off; a wake makes one of them due (`timers.ts`). So a timer may ring at any moment, in any order,
 * which is more than any clock and any jitter can do.
 */
import type {
  CoordinatorSaved,
  CoordinatorState,
  Entry,
} from "../../src/core/coordinator/state.ts";
import type { Watch, Watched } from "../../src/core/coordinator/watch-state.ts";
import { DeadlineFailureDetector } from "../../src/core/detector/deadline.ts";
import { Queue } from "../../src/core/machine/queue.ts";
import { noHistory } from "../../src/core/node/map-history.ts";
import type { NodeState, PartitionMemory } from "../../src/core/node/state.ts";
import type { Stream } from "../../src/core/partition/stream.ts";
import { LATER, NOW } from "./numbers.ts";

const LATE = { at: LATER, attempt: 0 };

/** What clients hear of the map is no part of a model, nor is how busy a node is. */
export function foldNode(state: NodeState): NodeState {
  const { memory, saved } = state;
  const version = saved.self.tableVersion;
  const viewVersion = saved.view.version;
  const map = {
    partitions: noHistory(version),
    nodes: noHistory(viewVersion),
    pushed: { version, viewVersion },
    sure: true,
    quietUntil: 0,
    pushAt: null,
    audience: false,
  };
  const partitions = new Map([...memory.partitions].map(([id, going]) => [id, putOff(going)]));
  let { forwards } = memory;
  for (const [id, pending] of forwards)
    forwards = forwards.with(id, { ...pending, deadline: LATER, retry: LATE });
  return {
    ...state,
    memory: {
      ...memory,
      map,
      partitions,
      forwards,
      forwardsAt: forwards.size > 0 ? LATER : Infinity,
      joinRetry: memory.joinRetry && LATE,
      traffic: { windowMs: 0, ops: 0, lastOps: 0 },
      beat: foldBeat(state),
      changedAt: memory.changedAt === null ? null : NOW,
    },
  };
}

/** Whether the work was long ago is for the next heartbeat to say. */
function foldBeat({ memory: { beat }, config }: NodeState): NodeState["memory"]["beat"] {
  if (beat.nextAt === null) return { ...beat, workAt: 0 };
  return { ...beat, nextAt: NOW + config.heartbeatMs, workAt: NOW };
}

function putOff(going: PartitionMemory): PartitionMemory {
  const { streams, offer, retry, held, inbound } = going;
  const answered = inbound?.answered ?? null;
  const kept = answered && {
    ...answered,
    keptUntil: answered.keptUntil === null ? null : LATER,
  };
  return {
    ...going,
    streams: new Map([...streams].map(([id, s]) => [id, foldStream(s)])),
    offer: offer && { ...offer, retry: LATE },
    retry: retry && LATE,
    inbound: inbound && { ...inbound, answered: kept },
    held: Queue.of([...held].map((one) => ({ ...one, since: NOW }))),
  };
}

const foldStream = (stream: Stream): Stream => ({
  ...stream,
  retry: stream.retry && LATE,
  silentSince: stream.silentSince === null ? null : NOW,
});

export function foldSaved(saved: CoordinatorSaved): CoordinatorSaved {
  const { cluster, entries } = saved;
  if (!cluster) return saved;
  return {
    ...saved,
    cluster: { ...cluster, completed: 0, failed: 0 },
    finished: new Map(),
    entries: new Map([...entries].map(([id, entry]) => [id, foldEntry(entry)])),
  };
}

function foldEntry(entry: Entry): Entry {
  const { move, again } = entry;
  return {
    ...entry,
    move: move && { ...move, attempt: 1, deadlineMs: putOffUnlessDue(move.deadlineMs) },
    again: again && { attempt: 1, notBefore: putOffUnlessDue(again.notBefore) },
  };
}

/** What is due and could not happen happens as soon as it can. */
const putOffUnlessDue = (at: number): number => (at <= NOW ? NOW : LATER);

export function foldCoordinator(state: CoordinatorState): CoordinatorState {
  const { memory, saved } = state;
  const late = [...memory.retries].map(([about, { attempt, version }]) => {
    // Who was asked just now is not asked at once again.
    const asked = about.startsWith("poll ") ? Math.min(1, attempt) : 0;
    return [about, { at: LATER, attempt: asked, version }] as const;
  });
  const heard = [...memory.heard].map(
    ([id, one]) => [id, { ...one, importing: [], migrating: [] }] as const,
  );
  return {
    ...state,
    saved: foldSaved(saved),
    memory: {
      ...memory,
      retries: new Map(late),
      parked: memory.parked.map((one) => ({ ...one, since: NOW })),
      heard: new Map(heard),
      watch: foldWatch(state),
    },
  };
}

/** Pauses between heartbeats say nothing to a deadline. Of who is given up it only matters that it is asked again. */
function foldWatch({ memory: { watch }, saved: { view } }: CoordinatorState): Watch {
  const { detector, members } = watch;
  if (!(detector instanceof DeadlineFailureDetector))
    throw new Error("the model knows of no detector but a deadline");
  const isListed = new Set(view.members.map(({ nodeId }) => nodeId));
  const isDead = new Set(
    view.members.filter(({ state }) => state === "dead").map(({ nodeId }) => nodeId),
  );
  const heard = [...detector.heard.keys()]
    .filter((id) => isListed.has(id))
    .map((id) => [id, { lastMs: NOW, intervalsMs: [] }] as const);
  return {
    detector: new DeadlineFailureDetector(detector.config, new Map(heard)),
    members: new Map(
      [...members]
        .filter(([id]) => isListed.has(id))
        .map(([id, one]) => [id, isDead.has(id) ? { ...one, ...NOT_ASKED } : foldWatched(one)]),
    ),
  };
}

const NOT_ASKED = { askedAt: null, suspectAt: null, complainers: [] };

const foldWatched = (watched: Watched): Watched => ({
  ...watched,
  complainers: watched.complainers.toSorted(),
});
