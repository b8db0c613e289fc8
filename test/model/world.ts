/** What a model is about: who is there, what is asked of them from outside, and how many faults may happen. */
import type { Config } from "../../src/core/config.ts";
import type { ClientWrite } from "../../src/protocol/client-messages.ts";
import type { ClusterMessage } from "../../src/protocol/cluster-messages.ts";
import type { AckLevel, WriteOp } from "../../src/protocol/ops.ts";

export const FAULTS = [
  "losses",
  "delays",
  "repeats",
  "crashes",
  "early",
  "stale",
  "cuts",
  "restores",
] as const;

/**
 * `losses`, `delays`, `repeats`: messages that never come, that come at any later time, that come once more at any
 * later time. `crashes`: of anybody, between two events, before
 * or after a commit. `early`: timers that ring while messages are on their way, or that end an attempt. `stale`:
 * events that a coordinator still handles which another has replaced. `cuts`: of one object from all others, healed
 * at any time at which nothing is on its way. `restores`: of the coordinator's storage to what it was at first.
 */
export type Budget = Readonly<Record<(typeof FAULTS)[number], number>>;

export const NO_FAULTS: Budget = {
  losses: 0,
  delays: 0,
  repeats: 0,
  crashes: 0,
  early: 0,
  stale: 0,
  cuts: 0,
  restores: 0,
};

/**
 * Asked once, at any moment; a write again and again until it is acknowledged. What comes through the front is
 * asked of any node, and stamped by the owner. `restored`: asked when the coordinator has been restored, not before.
 */
export type Asked =
  | { readonly type: "operator"; readonly message: ClusterMessage; readonly restored?: boolean }
  | {
      readonly type: "write";
      readonly at: number;
      readonly op: ClientWrite;
      readonly ack: AckLevel;
    }
  | { readonly type: "front"; readonly op: WriteOp };

export interface World {
  readonly name: string;
  /** Objects that may become nodes, `n1` to `n<nodes>`. */
  readonly nodes: number;
  readonly config: Config;
  /** What stands before anything happens. */
  readonly before: readonly Asked[];
  readonly asked: readonly Asked[];
  readonly budget: Budget;
  /** When a write is asked for: whenever, after those before it in the list, when those are acknowledged. */
  readonly turns: "any" | "asked" | "acknowledged";
  /** Whose clock is ahead of all others, as far as clocks may differ; -1: nobody's. */
  readonly ahead: number;
  /** Who may be cut off: 0 the coordinator, 1 the node `n1`. */
  readonly cut: number;
  /** Everybody works all the time, and every heartbeat comes in time: none is part of the world. */
  readonly awake: boolean;
  /** `links`: what one says to another comes in that order, but for `delays`; `none`: anything may come next. */
  readonly order: "links" | "none";
  /** Fewer, and the world is not the one that was meant. */
  readonly statesMin: number;
  /** What must have been seen: phases of a move, and crashes in them. */
  readonly seen: readonly string[];
}
