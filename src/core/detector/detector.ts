import type { NodeId } from "../../data/ids.ts";

/**
 * Tells from the times at which heartbeats came how likely a node is to be gone. Immutable: what
 * hears something is a new detector. It never decides anything; a suspected node is asked first.
 */
export interface FailureDetector {
  /** The node was heard just now. A moment before the last one changes nothing. */
  heartbeat(nodeId: NodeId, nowMs: number): FailureDetector;
  /** Its silence is counted from now on, unless it is watched already. */
  watch(nodeId: NodeId, nowMs: number): FailureDetector;
  /** Says nothing of it any more: it has left, or it sleeps and may be silent. */
  forget(nodeId: NodeId): FailureDetector;
  /** True for a node that nothing is known of. */
  isAlive(nodeId: NodeId, nowMs: number): boolean;
  /** Rises with the silence, never falls within it; 0.0 for a node that nothing is known of. */
  suspicionLevel(nodeId: NodeId, nowMs: number): number;
  /** The first millisecond at which it is not alive if it stays silent; null if nothing is known of it. */
  aliveUntil(nodeId: NodeId): number | null;
}
