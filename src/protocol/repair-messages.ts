/** Comparing all copies on an operator's word. Nothing is ruled for it, so it takes no quorum. */
import type { NodeId } from "../data/ids.ts";

export type RepairMessage = Repair | FetchRepair | RepairReport | Compare | Compared;

/** Front to coordinator: have every owner compare its complete copies. Answered by REPAIR_REPORT. */
export interface Repair {
  readonly type: "REPAIR";
}

/** Answered by REPAIR_REPORT. */
export interface FetchRepair {
  readonly type: "FETCH_REPAIR";
}

/** The last one, or the one that runs; null: none that this coordinator remembers. */
export interface RepairReport {
  readonly type: "REPAIR_REPORT";
  readonly repair: RepairProgress | null;
}

export interface RepairProgress {
  readonly repairId: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number | null;
  /** Owners that were asked, and those that have said that they are done. */
  readonly nodesAsked: number;
  readonly nodesDone: number;
  readonly figures: RepairFigures;
}

export interface RepairFigures {
  /**
   * With a complete copy; compared with all of them, at the end fewer where a copy did not answer; and where a copy
   * differed.
   */
  readonly toCompare: number;
  readonly compared: number;
  readonly differing: number;
  /** Of differing buckets: sent to copies, and taken from them because the owner lacked them. */
  readonly rowsSent: number;
  readonly rowsTaken: number;
}

/** Coordinator to an owner, until it is done. Answered by COMPARED. */
export interface Compare {
  readonly type: "COMPARE";
  readonly repairId: number;
}

/** `done`: all that it owned when it was asked. */
export interface Compared {
  readonly type: "COMPARED";
  readonly nodeId: NodeId;
  readonly repairId: number;
  readonly done: boolean;
  readonly figures: RepairFigures;
}
