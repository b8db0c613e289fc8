/**
 * I16: a client's map of some version lacks nothing that was ruled up to it, and its nodes are those of the view
 * whose version it names.
 */
import type { CoordinatorSaved } from "../../src/core/coordinator/state.ts";
import {
  ClusterPartitionTable,
  nodeInMap,
  partitionInMap,
  toPartitionMap,
} from "../../src/core/placement/table.ts";
import type { PartitionId } from "../../src/data/ids.ts";
import type { PartitionMapPayload } from "../../src/data/members.ts";

interface Ruled {
  readonly version: number;
  readonly said: string;
}

export class MapChecker {
  /** What clients may be told of each partition, in the order of the rulings. */
  readonly #ruled = new Map<PartitionId, Ruled[]>();
  readonly #nodes = new Map<number, string>();

  committed({ entries, view }: CoordinatorSaved): void {
    this.#nodes.set(view.version, JSON.stringify(view.members.map(nodeInMap)));
    for (const [partitionId, { version, ruling }] of entries) {
      const log = this.#ruled.get(partitionId) ?? [];
      if (log.at(-1)?.version === version) continue;
      log.push({ version, said: JSON.stringify(partitionInMap(ruling)) });
      this.#ruled.set(partitionId, log);
    }
  }

  /** What is wrong with it, or null. A ruling may be known before the table that has it. */
  objection({ version, viewVersion, partitions, nodes }: PartitionMapPayload): string | null {
    for (const item of partitions) {
      const log = this.#ruled.get(item.partitionId) ?? [];
      const stood = log.findLastIndex((ruled) => ruled.version <= version);
      const said = JSON.stringify(item);
      if (stood >= 0 && !log.slice(stood).some((ruled) => ruled.said === said))
        return `at ${version} it says ${said}, not ${log[stood]?.said}`;
    }
    const listed = this.#nodes.get(viewVersion);
    const said = JSON.stringify(nodes);
    return listed === said ? null : `at view ${viewVersion} it lists ${said}, not ${listed}`;
  }
}

/** What is left to be heard when all is over. */
export function unheard(map: PartitionMapPayload | null, saved: CoordinatorSaved): string | null {
  const { cluster, entries, view } = saved;
  if (!cluster) return null;
  const rulings = [...entries.values()].map(({ ruling }) => ruling);
  const empty = ClusterPartitionTable.empty(cluster.partitionCount);
  const table = empty.applyAssignments(rulings, cluster.tableVersion);
  const whole = JSON.stringify(toPartitionMap(table, view, 0));
  const known = JSON.stringify(map && { ...map, generatedAt: 0 });
  return known === whole ? null : `${known}, not ${whole}`;
}
