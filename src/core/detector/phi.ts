/**
 * Suspects a node by how unusual its silence is for it: phi = -log10(P(a silence at least this long)),
 * of a normal distribution with mean and deviation of its last pauses. At phi 8 one silence in 10^8
 * would be innocent. Hayashibara, Défago, Yared, Katayama: "The phi accrual failure detector", 2004.
 */
import { assert } from "../../data/assert.ts";
import type { NodeId } from "../../data/ids.ts";
import { arrived, forgotten, silenceMs, watched, type Arrivals, type Heard } from "./arrivals.ts";
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
  /** Searched for once: what is asked at every event is only how long a node may be silent. */
  readonly #allowed: WeakMap<Arrivals, number>;

  constructor(
    config: PhiAccrualConfig,
    heard: Heard = new Map(),
    allowed = new WeakMap<Arrivals, number>(),
  ) {
    assert(config.phiThreshold > 0 && config.phiThreshold <= 300, "phi is some number of digits");
    assert(config.maxSampleSize >= SAMPLES_MIN, "a deviation needs a few samples");
    // Below a millisecond, which is what clocks count, decades of silence would pass all bounds.
    assert(config.minStdDevMs >= 1, "clocks count milliseconds");
    assert(config.maxNoHeartbeatMs > 0, "a deadline is some time away");
    this.config = config;
    this.heard = heard;
    this.#allowed = allowed;
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
    const arrivals = this.heard.get(nodeId);
    return !arrivals || silenceMs(arrivals, nowMs) < this.#allowedMs(arrivals);
  }

  suspicionLevel(nodeId: NodeId, nowMs: number): number {
    const arrivals = this.heard.get(nodeId);
    return arrivals ? this.#levels(arrivals)(silenceMs(arrivals, nowMs)) : 0;
  }

  aliveUntil(nodeId: NodeId): number | null {
    const arrivals = this.heard.get(nodeId);
    return arrivals ? arrivals.lastMs + this.#allowedMs(arrivals) : null;
  }

  /** By silence. */
  #levels({ intervalsMs }: Arrivals): (silence: number) => number {
    const { phiThreshold, maxNoHeartbeatMs, minStdDevMs } = this.config;
    if (intervalsMs.length < SAMPLES_MIN)
      return (silence) => (silence / maxNoHeartbeatMs) * phiThreshold;
    const mean = meanOf(intervalsMs);
    const deviation = Math.sqrt(meanOf(intervalsMs.map((ms) => (ms - mean) ** 2)));
    return (silence) => tailLog10((silence - mean) / Math.max(deviation, minStdDevMs));
  }

  /** The first that is too long. By bisection: no pause that was sampled is long, so it is not far off. */
  #allowedMs(arrivals: Arrivals): number {
    const known = this.#allowed.get(arrivals);
    if (known !== undefined) return known;
    const levelOf = this.#levels(arrivals);
    let alive = 0;
    let gone = 1;
    while (levelOf(gone) < this.config.phiThreshold) gone *= 2;
    while (gone - alive > 1) {
      const between = Math.floor((alive + gone) / 2);
      if (levelOf(between) < this.config.phiThreshold) alive = between;
      else gone = between;
    }
    this.#allowed.set(arrivals, gone);
    return gone;
  }

  #with(heard: Heard): PhiAccrualFailureDetector {
    return heard === this.heard
      ? this
      : new PhiAccrualFailureDetector(this.config, heard, this.#allowed);
  }
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
