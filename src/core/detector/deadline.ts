/** A node is gone when it has not been heard for a fixed time. */
import { assert } from "../../data/assert.ts";
import type { NodeId } from "../../data/ids.ts";
import { arrived, forgotten, silenceMs, watched, type Heard } from "./arrivals.ts";
import type { FailureDetector } from "./detector.ts";

interface DeadlineConfig {
  readonly maxNoHeartbeatMs: number;
}

export class DeadlineFailureDetector implements FailureDetector {
  readonly config: DeadlineConfig;
  readonly heard: Heard;

  constructor(config: DeadlineConfig, heard: Heard = new Map()) {
    assert(config.maxNoHeartbeatMs > 0, "a deadline is some time away");
    this.config = config;
    this.heard = heard;
  }

  heartbeat(nodeId: NodeId, nowMs: number): DeadlineFailureDetector {
    const { maxNoHeartbeatMs } = this.config;
    return this.#with(arrived(this.heard, nodeId, nowMs, { maxNoHeartbeatMs, maxSampleSize: 1 }));
  }
  watch(nodeId: NodeId, nowMs: number): DeadlineFailureDetector {
    return this.#with(watched(this.heard, nodeId, nowMs));
  }
  forget(nodeId: NodeId): DeadlineFailureDetector {
    return this.#with(forgotten(this.heard, nodeId));
  }

  isAlive(nodeId: NodeId, nowMs: number): boolean {
    return this.suspicionLevel(nodeId, nowMs) < 1;
  }

  /** Part of the deadline that has passed: 1 is the deadline. */
  suspicionLevel(nodeId: NodeId, nowMs: number): number {
    const arrivals = this.heard.get(nodeId);
    return arrivals ? silenceMs(arrivals, nowMs) / this.config.maxNoHeartbeatMs : 0;
  }

  aliveUntil(nodeId: NodeId): number | null {
    const arrivals = this.heard.get(nodeId);
    return arrivals ? arrivals.lastMs + Math.ceil(this.config.maxNoHeartbeatMs) : null;
  }

  #with(heard: Heard): DeadlineFailureDetector {
    return heard === this.heard ? this : new DeadlineFailureDetector(this.config, heard);
  }
}
