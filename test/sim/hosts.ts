import type {
  CoordinatorEffect,
  CoordinatorEvent,
  CoordinatorSaved,
  CoordinatorState,
} from "../../src/core/coordinator/state.ts";
import type { NodeEffect, NodeEvent } from "../../src/core/node/events.ts";
import type { NodeSaved, NodeState } from "../../src/core/node/state.ts";
import type { SimHost } from "./process.ts";

export type NodeHost = SimHost<NodeState, NodeEvent, NodeEffect, NodeSaved>;
export type CoordinatorHost = SimHost<
  CoordinatorState,
  CoordinatorEvent,
  CoordinatorEffect,
  CoordinatorSaved
>;
