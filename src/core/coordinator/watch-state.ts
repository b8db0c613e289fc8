import type { NodeId } from "../../data/ids.ts";
import type { Config } from "../config.ts";
import { DeadlineFailureDetector } from "../detector/deadline.ts";
import type { FailureDetector } from "../detector/detector.ts";
import { PhiAccrualFailureDetector } from "../detector/phi.ts";

/** Lost in a crash: then nobody is suspected of anything but what the members view says. */
export interface Watch {
  readonly detector: FailureDetector;
  readonly members: ReadonlyMap<NodeId, Watched>;
}

export interface Watched {
  /** Of its last heartbeat. */
  readonly beat: number;
  readonly dormant: boolean;
  /** Since when it is asked and has not answered. */
  readonly askedAt: number | null;
  readonly suspectAt: number | null;
  readonly complainers: readonly string[];
}

export const UNHEARD: Watched = {
  beat: 0,
  dormant: false,
  askedAt: null,
  suspectAt: null,
  complainers: [],
};

export const newWatch = (config: Config): Watch => ({
  detector:
    config.detector === "phi"
      ? new PhiAccrualFailureDetector(config)
      : new DeadlineFailureDetector(config),
  members: new Map(),
});
