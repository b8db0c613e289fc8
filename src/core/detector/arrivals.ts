import type { NodeId } from "../../data/ids.ts";
import { NODES_MAX } from "../../protocol/limits.ts";

/** When a node was heard last, and the pauses before that. */
export interface Arrivals {
  readonly lastMs: number;
  /** The oldest first. */
  readonly intervalsMs: readonly number[];
}

export type Heard = ReadonlyMap<NodeId, Arrivals>;

interface Window {
  readonly maxSampleSize: number;
  readonly maxNoHeartbeatMs: number;
}

/** Members are bounded and those that left are forgotten: who comes beyond the bound is no member. */
export function watched(heard: Heard, nodeId: NodeId, nowMs: number): Heard {
  if (heard.has(nodeId) || heard.size >= NODES_MAX) return heard;
  return new Map(heard).set(nodeId, { lastMs: nowMs, intervalsMs: [] });
}

export function arrived(heard: Heard, nodeId: NodeId, nowMs: number, window: Window): Heard {
  const before = heard.get(nodeId);
  if (!before) return watched(heard, nodeId, nowMs);
  if (nowMs < before.lastMs) return heard;
  const interval = nowMs - before.lastMs;
  // A pause that long was a failure or a sleep. As a sample it would hide the next one.
  const kept = interval > window.maxNoHeartbeatMs ? [] : [interval];
  const intervalsMs = [...before.intervalsMs, ...kept].slice(-window.maxSampleSize);
  return new Map(heard).set(nodeId, { lastMs: nowMs, intervalsMs });
}

export function forgotten(heard: Heard, nodeId: NodeId): Heard {
  if (!heard.has(nodeId)) return heard;
  const others = new Map(heard);
  others.delete(nodeId);
  return others;
}

export const silenceMs = ({ lastMs }: Arrivals, nowMs: number): number =>
  Math.max(0, nowMs - lastMs);
