import type { NodeId } from "../../data/ids.ts";
import type { Compared } from "../../protocol/cluster-messages.ts";

/** What each owner has said last; null: nothing yet. */
export interface RepairMemory {
  readonly repairId: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number | null;
  readonly nodes: ReadonlyMap<NodeId, Pick<Compared, "done" | "figures"> | null>;
}
