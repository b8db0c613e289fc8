/**
 * Time in a model: what is to happen later is either due or not, and pauses have no length. After every event all
 * timers are put off; a wake makes one of them due. So a timer may ring at any moment, in any order, which is more
 * than any clock and any jitter can do.
 */
import type { CoordinatorState, CoordinatorSaved } from "../../src/core/coordinator/state.ts";
import { Queue } from "../../src/core/machine/queue.ts";
import { noHistory } from "../../src/core/node/map-history.ts";
import type { NodeState, PartitionMemory } from "../../src/core/node/state.ts";
import type { PartitionId } from "../../src/data/ids.ts";
import { LATER, NOW } from "./numbers.ts";

export interface Timer<State> {
  readonly name: string;
  /** It ends an attempt: it never rings before what is asked again and again has been asked again. */
  readonly patience: boolean;
  readonly due: (state: State) => State;
}

const LATE = { at: LATER, attempt: 0 };
const DUE = { at: NOW, attempt: 0 };

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
    },
  };
}

function putOff(going: PartitionMemory): PartitionMemory {
  const { streams, offer, retry, held } = going;
  return {
    ...going,
    streams: new Map([...streams].map(([id, s]) => [id, { ...s, retry: s.retry && LATE }])),
    offer: offer && { ...offer, retry: LATE },
    retry: retry && LATE,
    held: Queue.of([...held].map((one) => ({ ...one, since: NOW }))),
  };
}

export function foldSaved(saved: CoordinatorSaved): CoordinatorSaved {
  const { cluster, entries } = saved;
  if (!cluster) return saved;
  return {
    ...saved,
    cluster: { ...cluster, completed: 0, failed: 0 },
    finished: new Map(),
    entries: new Map(
      [...entries].map(([id, entry]) => {
        const { move, again } = entry;
        const late = move && { ...move, attempt: 1, deadlineMs: LATER };
        return [id, { ...entry, move: late, again: again && { attempt: 1, notBefore: LATER } }];
      }),
    ),
  };
}

export function foldCoordinator(state: CoordinatorState): CoordinatorState {
  const { memory, saved } = state;
  const late = [...memory.retries].map(([about, asked]) => [about, { ...asked, ...LATE }] as const);
  return {
    ...state,
    saved: foldSaved(saved),
    memory: {
      ...memory,
      retries: new Map(late),
      parked: memory.parked.map((one) => ({ ...one, since: NOW })),
    },
  };
}

export function nodeTimers(state: NodeState): Timer<NodeState>[] {
  const timers: Timer<NodeState>[] = [];
  const { memory, saved } = state;
  const add = (name: string, patience: boolean, change: Partial<NodeState["memory"]>): void => {
    const due = (s: NodeState): NodeState => ({ ...s, memory: { ...s.memory, ...change } });
    timers.push({ name, patience, due });
  };
  if (memory.joinRetry) add("join", false, { joinRetry: DUE });
  for (const [id, going] of memory.partitions) {
    const { retry, offer, streams, held, giveUp } = going;
    const change = (it: Partial<PartitionMemory>): Partial<NodeState["memory"]> => ({
      partitions: new Map(memory.partitions).set(id, { ...going, ...it }),
    });
    if (retry) add(`ask ${id}`, false, change({ retry: DUE }));
    if (offer) add(`offer ${id}`, false, change({ offer: { ...offer, retry: DUE } }));
    for (const [to, stream] of streams)
      if (stream.retry)
        add(
          `stream ${id} to ${to}`,
          false,
          change({ streams: new Map(streams).set(to, { ...stream, retry: DUE }) }),
        );
    const role = saved.partitions.get(id)?.role;
    const waits = role?.type === "owner" && role.move !== null && giveUp === null;
    const since = NOW - state.config.maxNoHeartbeatMs;
    if (waits && held.length > 0)
      add(
        `silence ${id}`,
        true,
        change({ held: Queue.of([...held].map((one) => ({ ...one, since }))) }),
      );
  }
  for (const [id, pending] of memory.forwards) {
    add(`forward to ${pending.to}`, false, {
      forwards: memory.forwards.with(id, { ...pending, retry: DUE }),
      forwardsAt: NOW,
    });
    add(`give up forward to ${pending.to}`, true, {
      forwards: memory.forwards.with(id, { ...pending, deadline: NOW }),
      forwardsAt: NOW,
    });
  }
  return timers;
}

export function coordinatorTimers(state: CoordinatorState): Timer<CoordinatorState>[] {
  const timers: Timer<CoordinatorState>[] = [];
  for (const about of state.memory.retries.keys())
    timers.push({ name: about, patience: false, due: (s) => retryDue(s, about) });
  for (const [id, { move, again, wanted, ruling }] of state.saved.entries) {
    if (move?.phase === "replicating")
      timers.push({ name: `deadline ${id}`, patience: true, due: (s) => deadlineDue(s, id) });
    if (!move && again && wanted !== ruling.owner)
      timers.push({ name: `again ${id}`, patience: false, due: (s) => againDue(s, id) });
  }
  if (state.memory.parked.length > 0)
    timers.push({ name: "no quorum", patience: true, due: parkedForLong });
  return timers;
}

function parkedForLong(state: CoordinatorState): CoordinatorState {
  const since = NOW - state.config.maxNoHeartbeatMs;
  const parked = state.memory.parked.map((one) => ({ ...one, since }));
  return { ...state, memory: { ...state.memory, parked } };
}

function retryDue(state: CoordinatorState, about: string): CoordinatorState {
  const asked = state.memory.retries.get(about);
  if (!asked) return state;
  const retries = new Map(state.memory.retries).set(about, { ...asked, ...DUE });
  return { ...state, memory: { ...state.memory, retries } };
}

function deadlineDue(state: CoordinatorState, id: PartitionId): CoordinatorState {
  const entry = state.saved.entries.get(id);
  if (!entry?.move) return state;
  const late = { ...entry, move: { ...entry.move, deadlineMs: NOW } };
  return {
    ...state,
    saved: { ...state.saved, entries: new Map(state.saved.entries).set(id, late) },
  };
}

function againDue(state: CoordinatorState, id: PartitionId): CoordinatorState {
  const entry = state.saved.entries.get(id);
  if (!entry?.again) return state;
  const due = { ...entry, again: { ...entry.again, notBefore: NOW } };
  return {
    ...state,
    saved: { ...state.saved, entries: new Map(state.saved.entries).set(id, due) },
  };
}
