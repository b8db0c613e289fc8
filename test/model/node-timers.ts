/** What a node of a model is woken for. */
import { Queue } from "../../src/core/machine/queue.ts";
import type { NodeMemory, NodeState, PartitionMemory } from "../../src/core/node/state.ts";
import { isSpareTime, wakeAt } from "../../src/core/node/wake-at.ts";
import { noteAt } from "../../src/core/partition/catch-up.ts";
import { unheardAt } from "../../src/core/partition/silence.ts";
import type { PartitionId } from "../../src/data/ids.ts";
import { LATER, NOW } from "./numbers.ts";
import type { Timer } from "./timers.ts";

const DUE = { at: NOW, attempt: 0 };

type Change = Partial<NodeMemory>;
type Rest = Partial<Pick<Timer<NodeState>, "kind" | "at" | "patience" | "beats" | "about">>;

const ALARM = { kind: "alarm", at: LATER, patience: false, beats: false, about: null } as const;

function timer(name: string, change: Change, rest: Rest = {}): Timer<NodeState> {
  const due = (s: NodeState): NodeState => ({ ...s, memory: { ...s.memory, ...change } });
  return { name, ...ALARM, ...rest, due };
}

/** Falling silent is the last: whoever takes the last one comes to rest. */
export function nodeTimers(state: NodeState): Timer<NodeState>[] {
  const { memory } = state;
  const timers: Timer<NodeState>[] = [];
  if (memory.joinRetry) timers.push(timer("join", { joinRetry: DUE }));
  for (const [id, going] of memory.partitions) timers.push(...partitionTimers(state, id, going));
  for (const [id, pending] of memory.forwards) {
    const { to } = pending;
    const change = (it: Partial<typeof pending>): Change => ({
      forwards: memory.forwards.with(id, { ...pending, ...it }),
      forwardsAt: NOW,
    });
    const patient = { patience: true, about: to };
    timers.push(timer(`forward to ${to}`, change({ retry: DUE })));
    timers.push(timer(`give up forward to ${to}`, change({ deadline: NOW }), patient));
  }
  const note = noteAt(state);
  if (note !== null) {
    const changedAt = NOW - state.config.idleAfterMs;
    timers.push(timer("note that all is said", { changedAt }, { kind: "tick", at: note }));
  }
  return [...timers, ...beatTimers(state)];
}

function beatTimers(state: NodeState): Timer<NodeState>[] {
  const { beat, forwards } = state.memory;
  if (beat.nextAt === null) return [];
  const tick = { kind: "tick", at: beat.nextAt } as const;
  const { forwardTimeoutMs, maxNoHeartbeatMs } = state.config;
  const due = { beat: { ...beat, nextAt: NOW } };
  const beats = { ...tick, beats: true };
  const timers = [timer("heartbeat", due, beats)];
  const unanswered = NOW + forwardTimeoutMs - maxNoHeartbeatMs;
  for (const [id, pending] of forwards) {
    const late = forwards.with(id, { ...pending, deadline: unanswered });
    const patient = { ...tick, patience: true, about: pending.to };
    timers.push(timer(`complain of ${pending.to}`, { ...due, forwards: late }, patient));
  }
  const idle = { beat: { ...beat, nextAt: NOW, workAt: -LATER } };
  if (wakeAt(state) === null) timers.push(timer("fall silent", idle, beats));
  return timers;
}

function partitionTimers(
  { config, memory, saved }: NodeState,
  id: PartitionId,
  going: PartitionMemory,
): Timer<NodeState>[] {
  const { retry, offer, streams, held, giveUp } = going;
  const timers: Timer<NodeState>[] = [];
  const change = (it: Partial<PartitionMemory>): Change => ({
    partitions: new Map(memory.partitions).set(id, { ...going, ...it }),
  });
  if (retry) timers.push(timer(`ask ${id}`, change({ retry: DUE })));
  if (offer) timers.push(timer(`offer ${id}`, change({ offer: { ...offer, retry: DUE } })));
  for (const [to, stream] of streams)
    if (stream.retry) {
      const due = new Map(streams).set(to, { ...stream, retry: DUE });
      const kind = isSpareTime(going, saved.partitions.get(id), stream) ? "tick" : "alarm";
      timers.push(timer(`stream ${id} to ${to}`, change({ streams: due }), { kind }));
    }
  if (giveUp.size > 0) return timers;
  const since = NOW - config.maxNoHeartbeatMs;
  const patient = { at: NOW + config.maxNoHeartbeatMs, patience: true };
  if (held.length === 0) {
    // Where writes wait for it, they end its time as well.
    const { role } = saved.partitions.get(id) ?? {};
    for (const [about, stream] of streams) {
      const ms = unheardAt(config, role, { ...stream, silentSince: 0 });
      if (stream.silentSince === null || ms === Infinity) continue;
      const silent = new Map(streams).set(about, { ...stream, silentSince: NOW - ms });
      const name = `unheard ${id} at ${about}`;
      const at = NOW + ms;
      timers.push(timer(name, change({ streams: silent }), { at, patience: true, about }));
    }
    return timers;
  }
  const [about = null] = held.first()?.wait.all.keys() ?? [];
  const old = Queue.of([...held].map((one) => ({ ...one, since })));
  return [...timers, timer(`silence ${id}`, change({ held: old }), { ...patient, about })];
}
