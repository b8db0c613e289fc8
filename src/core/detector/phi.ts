/**
 * Suspects a node by how unusual its silence is for it: phi = -log10(P(a silence at least this long)),
 * of a normal distribution with mean and deviation of its last pauses. At phi 8 one silence in 10^8
 * would be innocent. Hayashibara, Défago, Yared, Katayama: "The phi accrual failure detector", 2004.
 */
import { assert } from "../../data/assert.ts";
import type { NodeId } from "../../data/ids.ts";
import { arrived, forgotten, silenceMs, watched, type Heard } from "./arrivals.ts";
import type { FailureDetector } from "./detector.ts";
import { tailLog10 } from "./tail.ts";

export interface PhiAccrualConfig {
  /** A node is not alive from this level on. */
  readonly phiThreshold: number;
  /** Pauses that are remembered per node. */
  readonly maxSampleSize: number;
  /** Pauses that were all alike must not make a node suspect for one that is a little longer. */
  readonly minStdDevMs: number;
  /** Where too few pauses are known: a silence this long is at the threshold. A longer one is no sample. */
  readonly maxNoHeartbeatMs: number;
}

/** Two pauses have a deviation, but it says little. */
const SAMPLES_MIN = 3;

export class PhiAccrualFailureDetector implements FailureDetector {
  readonly config: PhiAccrualConfig;
  readonly heard: Heard;

  constructor(config: PhiAccrualConfig, heard: Heard = new Map()) {
    assert(config.phiThreshold > 0 && config.phiThreshold <= 300, "phi is some number of digits");
    assert(config.maxSampleSize >= SAMPLES_MIN, "a deviation needs a few samples");
    // Below a millisecond, which is what clocks count, decades of silence would pass all bounds.
    assert(config.minStdDevMs >= 1, "clocks count milliseconds");
    assert(config.maxNoHeartbeatMs > 0, "a deadline is some time away");
    this.config = config;
    this.heard = heard;
  }

  heartbeat(nodeId: NodeId, nowMs: number): PhiAccrualFailureDetector {
    return this.#with(arrived(this.heard, nodeId, nowMs, this.config));
  }
  watch(nodeId: NodeId, nowMs: number): PhiAccrualFailureDetector {
    return this.#with(watched(this.heard, nodeId, nowMs));
  }
  forget(nodeId: NodeId): PhiAccrualFailureDetector {
    return this.#with(forgotten(this.heard, nodeId));
  }

  isAlive(nodeId: NodeId, nowMs: number): boolean {
    return this.suspicionLevel(nodeId, nowMs) < this.config.phiThreshold;
  }

  suspicionLevel(nodeId: NodeId, nowMs: number): number {
    const arrivals = this.heard.get(nodeId);
    if (!arrivals) return 0;
    const { phiThreshold, maxNoHeartbeatMs, minStdDevMs } = this.config;
    const silence = silenceMs(arrivals, nowMs);
    const { intervalsMs } = arrivals;
    if (intervalsMs.length < SAMPLES_MIN) return (silence / maxNoHeartbeatMs) * phiThreshold;
    const mean = meanOf(intervalsMs);
    const deviation = Math.sqrt(meanOf(intervalsMs.map((ms) => (ms - mean) ** 2)));
    return tailLog10((silence - mean) / Math.max(deviation, minStdDevMs));
  }

  /** By bisection: no pause that was sampled is longer than `maxNoHeartbeatMs`, so it is not far off. */
  aliveUntil(nodeId: NodeId): number | null {
    const arrivals = this.heard.get(nodeId);
    if (!arrivals) return null;
    let alive = arrivals.lastMs;
    let gone = alive + 1;
    while (this.isAlive(nodeId, gone)) gone += gone - arrivals.lastMs;
    while (gone - alive > 1) {
      const between = Math.floor((alive + gone) / 2);
      if (this.isAlive(nodeId, between)) alive = between;
      else gone = between;
    }
    return gone;
  }

  #with(heard: Heard): PhiAccrualFailureDetector {
    return heard === this.heard ? this : new PhiAccrualFailureDetector(this.config, heard);
  }
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
