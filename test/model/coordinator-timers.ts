/** What a coordinator of a model is woken for. */
import type { CoordinatorState, Entry } from "../../src/core/coordinator/state.ts";
import { tasksOf } from "../../src/core/coordinator/wanted.ts";
import { present } from "../../src/core/coordinator/watch.ts";
import { UNHEARD, type Watched } from "../../src/core/coordinator/watch-state.ts";
import { DeadlineFailureDetector } from "../../src/core/detector/deadline.ts";
import type { NodeId, PartitionId } from "../../src/data/ids.ts";
import { LATER, NOW } from "./numbers.ts";
import type { Timer } from "./timers.ts";

type Coordinator = Timer<CoordinatorState>;
type Change = Partial<CoordinatorState["memory"]>;

const ALARM = { kind: "alarm", at: LATER, patience: false, beats: false, about: null } as const;
const TICK = { kind: "tick", patience: false, beats: true } as const;
const PATIENT = { ...ALARM, patience: true } as const;

const remember = (state: CoordinatorState, change: Change): CoordinatorState => ({
  ...state,
  memory: { ...state.memory, ...change },
});

export function coordinatorTimers(state: CoordinatorState): Coordinator[] {
  const { memory, saved } = state;
  const timers: Coordinator[] = [];
  for (const about of memory.retries.keys())
    timers.push({ ...ALARM, name: about, due: (s) => retryDue(s, about) });
  for (const [id, entry] of saved.entries) {
    const { move, again } = entry;
    const target = move?.target ?? null;
    if (move?.phase === "replicating" && move.deadlineMs > NOW) {
      const due = (s: CoordinatorState): CoordinatorState => deadlineDue(s, id);
      timers.push({ ...PATIENT, about: target, name: `deadline ${id}`, due });
    }
    if (!move && again && tasksOf(entry).length > 0 && again.notBefore > NOW)
      timers.push({ ...ALARM, name: `again ${id}`, due: (s) => againDue(s, id) });
  }
  if (memory.parked.length > 0) {
    const at = NOW + state.config.maxNoHeartbeatMs;
    timers.push({ ...PATIENT, at, name: "no quorum", due: parkedForLong });
  }
  const there = new Set(present(state).map(({ nodeId }) => nodeId));
  for (const { nodeId } of saved.view.members) {
    if (there.has(nodeId)) timers.push(...watchTimers(state, nodeId));
    timers.push(ageing(nodeId));
  }
  return timers;
}

function watchTimers({ config, memory }: CoordinatorState, about: NodeId): Coordinator[] {
  const { askedAt, suspectAt } = memory.watch.members.get(about) ?? UNHEARD;
  const timers: Coordinator[] = [];
  const patiently = (name: string, pauseMs: number, key: "askedAt" | "suspectAt"): void => {
    const due = (s: CoordinatorState): CoordinatorState =>
      watched(s, about, { [key]: NOW - pauseMs });
    const outlasts = key === "suspectAt";
    timers.push({ ...PATIENT, at: NOW + pauseMs, about, outlasts, name: `${name} ${about}`, due });
  };
  if (suspectAt === null && askedAt === NOW) patiently("suspect", config.probeTimeoutMs, "askedAt");
  if (suspectAt === NOW) patiently("give up", config.suspicionTimeoutMs, "suspectAt");
  const { detector } = memory.watch;
  if (askedAt === null && detector.aliveUntil(about) !== null) {
    const due = (s: CoordinatorState): CoordinatorState => silent(s, about);
    const at = NOW + config.maxNoHeartbeatMs;
    timers.push({ ...TICK, at, about, name: `silence of ${about}`, due });
  }
  return timers;
}

/** What was heard long ago is as good as nothing, also of who has not granted the term, and so does not count. */
function ageing(about: NodeId): Coordinator {
  const due = (s: CoordinatorState): CoordinatorState => {
    if (!s.memory.answered.has(about)) return s;
    const at = NOW - s.config.maxNoHeartbeatMs - 1;
    return remember(s, { answered: new Map(s.memory.answered).set(about, at) });
  };
  return {
    kind: "age",
    at: Infinity,
    patience: true,
    beats: false,
    about,
    name: `answer of ${about} is old`,
    due,
  };
}

function watched(state: CoordinatorState, id: NodeId, at: Partial<Watched>): CoordinatorState {
  const { watch } = state.memory;
  const members = new Map(watch.members).set(id, {
    ...(watch.members.get(id) ?? UNHEARD),
    ...at,
  });
  return remember(state, { watch: { ...watch, members } });
}

function silent(state: CoordinatorState, id: NodeId): CoordinatorState {
  const { watch } = state.memory;
  if (!(watch.detector instanceof DeadlineFailureDetector)) return state;
  const { config, heard } = watch.detector;
  const lastMs = NOW - config.maxNoHeartbeatMs;
  const longAgo = new Map(heard).set(id, { lastMs, intervalsMs: [] });
  const detector = new DeadlineFailureDetector(config, longAgo);
  return remember(state, { watch: { ...watch, detector } });
}

function parkedForLong(state: CoordinatorState): CoordinatorState {
  const since = NOW - state.config.maxNoHeartbeatMs;
  return remember(state, { parked: state.memory.parked.map((one) => ({ ...one, since })) });
}

function retryDue(state: CoordinatorState, about: string): CoordinatorState {
  const asked = state.memory.retries.get(about);
  if (!asked) return state;
  const retries = new Map(state.memory.retries).set(about, { ...asked, at: NOW });
  return remember(state, { retries });
}

function deadlineDue(state: CoordinatorState, id: PartitionId): CoordinatorState {
  const { move } = state.saved.entries.get(id) ?? {};
  return move ? entered(state, id, { move: { ...move, deadlineMs: NOW } }) : state;
}

function againDue(state: CoordinatorState, id: PartitionId): CoordinatorState {
  const { again } = state.saved.entries.get(id) ?? {};
  return again ? entered(state, id, { again: { ...again, notBefore: NOW } }) : state;
}

function entered(
  state: CoordinatorState,
  id: PartitionId,
  change: Partial<Entry>,
): CoordinatorState {
  const entry = state.saved.entries.get(id);
  if (!entry) return state;
  const entries = new Map(state.saved.entries).set(id, { ...entry, ...change });
  return { ...state, saved: { ...state.saved, entries } };
}
