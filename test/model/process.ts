/** One object of a model at one moment, which never changes, and what an event makes of it. */
import { coordinator } from "../../src/core/coordinator/coordinator.ts";
import {
  initialCoordinator,
  wakeCoordinator,
  type CoordinatorEffect,
  type CoordinatorEvent,
  type CoordinatorSaved,
  type CoordinatorState,
} from "../../src/core/coordinator/state.ts";
import type { Config } from "../../src/core/config.ts";
import type { Moment } from "../../src/core/machine/cluster-event.ts";
import type { Machine } from "../../src/core/machine/step.ts";
import type { NodeEffect, NodeEvent } from "../../src/core/node/events.ts";
import { node } from "../../src/core/node/node.ts";
import { initialNode, wake, type NodeSaved, type NodeState } from "../../src/core/node/state.ts";
import type { DigestKey } from "../../src/data/digest.ts";
import { Seq } from "../../src/data/ids.ts";
import { SimHost, type CrashPoint } from "../sim/process.ts";
import type { MemorySnapshot } from "../sim/memory-row-store.ts";
import { coordinatorTimers } from "./coordinator-timers.ts";
import { foldCoordinator, foldNode, foldSaved } from "./fold.ts";
import { nodeTimers } from "./node-timers.ts";
import { firstBeat, firstSeq, NOW } from "./numbers.ts";
import { mustKnow, type Timer } from "./timers.ts";

export interface Image<State, Saved> {
  readonly disk: Saved;
  /** null: asleep. */
  readonly state: State | null;
  readonly rows: MemorySnapshot;
  /** An alarm is set, which also wakes who is asleep. */
  readonly armed: boolean;
}

export type NodeImage = Image<NodeState, NodeSaved>;
export type CoordinatorImage = Image<CoordinatorState, CoordinatorSaved>;

export interface Ran<State, Saved, Effect> {
  readonly image: Image<State, Saved>;
  /** Each with what was saved when it was said. */
  readonly said: readonly (readonly [effect: Effect, saved: Saved])[];
  /** What was saved, step by step: a start is a step of its own. */
  readonly commits: readonly (readonly [before: Saved, after: Saved])[];
}

/** What differs between the two kinds of objects. */
export interface Kind<State extends { readonly saved: Saved }, Event, Effect, Saved> {
  readonly machine: Machine<State, Event, Effect>;
  readonly wake: (saved: Saved) => State;
  readonly digestKey: (state: State) => DigestKey;
  readonly started: Event;
  readonly woke: Event;
  readonly timers: (state: State) => readonly Timer<State>[];
  readonly fold: (state: State) => State;
  readonly foldDisk: (saved: Saved) => Saved;
}

export const momentAt = (aheadMs: number): Moment => ({ now: NOW + aheadMs, random: 0.5 });
const MOMENT = momentAt(0);

const NO_ROWS: MemorySnapshot = { tables: [] };

export type NodeKind = Kind<NodeState, NodeEvent, NodeEffect, NodeSaved>;
export type CoordinatorKind = Kind<
  CoordinatorState,
  CoordinatorEvent,
  CoordinatorEffect,
  CoordinatorSaved
>;

export const nodeKind = (config: Config, id: string, moment: Moment): NodeKind => ({
  machine: node,
  wake: (saved) => wake(config, saved),
  digestKey: (state) => state.saved.self.digestKey,
  started: { type: "started", host: `object-${id}`, hasClients: false, ...moment },
  woke: { type: "woke", ...moment },
  timers: nodeTimers,
  fold: foldNode,
  foldDisk: (saved) => saved,
});

export const coordinatorKind = (config: Config): CoordinatorKind => ({
  machine: coordinator,
  wake: (saved) => wakeCoordinator(config, saved),
  digestKey: () => ({ a: 0, b: 0 }),
  started: { type: "started", ...MOMENT },
  woke: { type: "woke", ...MOMENT },
  timers: coordinatorTimers,
  fold: foldCoordinator,
  foldDisk: foldSaved,
});

/** A node as if it had counted some changes before: each node's counters are told from all others'. */
export function newNode(config: Config, index: number): NodeImage {
  const { saved } = initialNode(config);
  const reserved = { seq: Seq(firstSeq(index)), millis: 0 };
  const disk = { ...saved, self: { ...saved.self, reserved, beats: firstBeat(index) } };
  return { disk, state: null, rows: NO_ROWS, armed: false };
}

export const newCoordinator = (config: Config): CoordinatorImage => ({
  disk: initialCoordinator(config).saved,
  state: null,
  rows: NO_ROWS,
  armed: false,
});

export function run<
  State extends { readonly saved: Saved },
  Event,
  Effect extends { type: string },
  Saved,
>(
  kind: Kind<State, Event, Effect, Saved>,
  image: Image<State, Saved>,
  event: Event,
  crash: CrashPoint | null,
): Ran<State, Saved, Effect> {
  const said: [Effect, Saved][] = [];
  const commits: [Saved, Saved][] = [];
  let { armed } = image;
  const host = new SimHost<State, Event, Effect, Saved>(
    image.disk,
    {
      machine: kind.machine,
      kind: { wake: kind.wake, saved: (state) => state.saved, digestKey: kind.digestKey },
      started: () => kind.started,
      perform: (effect) => void said.push([effect, host.disk]),
      arm: () => {
        armed = true;
      },
      tick: () => {},
      committed: (before, after) => void commits.push([before, after]),
    },
    image.rows,
    image.state ?? undefined,
  );
  host.deliver(event, crash);
  const rows = host.rows.snapshot();
  if (!host.state) {
    const disk = kind.foldDisk(host.disk);
    return { image: { disk, state: null, rows, armed }, said, commits };
  }
  const state = kind.fold(host.state);
  return { image: awake(kind, state, rows), said, commits };
}

function awake<State extends { readonly saved: Saved }, Event, Effect, Saved>(
  { machine, timers }: Kind<State, Event, Effect, Saved>,
  state: State,
  rows: MemorySnapshot,
): Image<State, Saved> {
  const alarm = machine.wakeAt(state);
  mustKnow(timers(state), { alarm, tick: machine.tickAt?.(state) ?? null });
  return { disk: state.saved, state, rows, armed: alarm !== null };
}

/** Its memory is lost between two events; what it had said is on its way. */
export const asleep = <State, Saved>(image: Image<State, Saved>): Image<State, Saved> => ({
  ...image,
  state: null,
});

/** Its alarm rings, or just that timer is due. */
export function ring<
  State extends { readonly saved: Saved },
  Event,
  Effect extends { type: string },
  Saved,
>(
  kind: Kind<State, Event, Effect, Saved>,
  image: Image<State, Saved>,
  timer: number,
  crash: CrashPoint | null,
): Ran<State, Saved, Effect> {
  const { state } = image;
  const { kind: type, due } = (state && kind.timers(state)[timer]) ?? {};
  if (!state || !due) return run(kind, { ...image, armed: false }, kind.woke, crash);
  const then = due(state);
  if (type === "age")
    return { image: awake(kind, kind.fold(then), image.rows), said: [], commits: [] };
  // A time that has come is no commit.
  return run(kind, { ...image, disk: then.saved, state: then, armed: false }, kind.woke, crash);
}
