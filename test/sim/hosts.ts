/** The production machines on simulated hosts. */
import { Runner } from "../../src/core/actor/runner.ts";
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
import type { NodeEffect, NodeEvent } from "../../src/core/node/events.ts";
import { node } from "../../src/core/node/node.ts";
import { initialNode, wake, type NodeSaved, type NodeState } from "../../src/core/node/state.ts";
import type { NodeId } from "../../src/data/ids.ts";
import { Errands } from "../../src/objects/errands.ts";
import { ACTORS } from "./callers.ts";
import { SimHost } from "./process.ts";

export type NodeHost = SimHost<NodeState, NodeEvent, NodeEffect, NodeSaved>;
export type CoordinatorHost = SimHost<
  CoordinatorState,
  CoordinatorEvent,
  CoordinatorEffect,
  CoordinatorSaved
>;

/** What an object has around it. */
export interface Surroundings {
  readonly moment: () => Moment;
  readonly perform: (effect: NodeEffect | CoordinatorEffect) => void;
  readonly arm: (at: number) => void;
  readonly tick: (at: number) => void;
}

interface Watched<Saved> extends Surroundings {
  readonly committed: (before: Saved, after: Saved) => void;
}

interface Visited {
  readonly hasClients: () => boolean;
  readonly postpone: (event: NodeEvent) => boolean;
}

export function coordinatorHost(
  config: Config,
  { moment, ...around }: Watched<CoordinatorSaved>,
): CoordinatorHost {
  return new SimHost<CoordinatorState, CoordinatorEvent, CoordinatorEffect, CoordinatorSaved>(
    initialCoordinator(config).saved,
    {
      machine: coordinator,
      kind: {
        wake: (saved) => wakeCoordinator(config, saved),
        saved: (state) => state.saved,
        digestKey: () => ({ a: 0, b: 0 }),
      },
      started: () => ({ type: "started", ...moment() }),
      ...around,
    },
  );
}

/** Simulated decisions take no time, so they ask nobody. */
const ALONE = new Errands(
  () => {
    throw new Error("a simulated decision asks nobody");
  },
  () => 0,
);

export function nodeHost(
  id: NodeId,
  config: Config,
  { moment, hasClients, ...around }: Watched<NodeSaved> & Visited,
): NodeHost {
  const facts = { type: "started", host: `object-${id}` } as const;
  return new SimHost<NodeState, NodeEvent, NodeEffect, NodeSaved>(initialNode(config).saved, {
    machine: node,
    kind: {
      wake: (saved) => wake(config, saved),
      saved: (state) => state.saved,
      digestKey: (state) => state.saved.self.digestKey,
    },
    runner: new Runner(
      () => ACTORS,
      (effect) => ALONE.of(effect),
    ),
    started: () => ({ ...facts, hasClients: hasClients(), ...moment() }),
    ...around,
  });
}
