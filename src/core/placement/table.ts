/**
 * Who owns each partition: the highest ruling heard so far on every one of them.
 *
 * A value: methods return a new table. A ruling counts only if its epoch is higher than that of
 * the one it replaces, so rulings may arrive late, twice and in any order, and tables that have
 * heard the same rulings are equal. The version never goes back.
 */
import { assert } from "../../data/assert.ts";
import { partitionOf } from "../../data/hash.ts";
import { Epoch, PartitionId, Version, type NodeId } from "../../data/ids.ts";
import type {
  MemberInfo,
  MembersView,
  NodeState,
  NodeStatus,
  PartitionMapPayload,
} from "../../data/members.ts";
import type { Ruling } from "../../data/ruling.ts";
import type { ClusterPartitionService } from "../../protocol/contracts.ts";
import type { Placement } from "./placement.ts";

/** What one node has, by ascending id; `backup` are its complete copies. */
export interface NodePartitions {
  readonly owned: readonly PartitionId[];
  readonly backup: readonly PartitionId[];
}

export class ClusterPartitionTable implements ClusterPartitionService {
  readonly version: Version;
  readonly #rulings: readonly Ruling[];
  /** Made when first asked for; the rulings it is made of never change. */
  #byNode: ReadonlyMap<NodeId, NodePartitions> | null = null;

  private constructor(rulings: readonly Ruling[], version: Version) {
    this.#rulings = rulings;
    this.version = version;
  }

  /** Nobody has ruled on anything. */
  static empty(partitionCount: number): ClusterPartitionTable {
    const rulings = Array.from({ length: partitionCount }, (_, partition) => ({
      partitionId: PartitionId(partition),
      epoch: Epoch(0),
      owner: null,
      since: Epoch(0),
      copies: [],
    }));
    return new ClusterPartitionTable(rulings, Version(0));
  }

  get partitionCount(): number {
    return this.#rulings.length;
  }

  get(partitionId: PartitionId): Ruling {
    const ruling = this.#rulings[partitionId];
    assert(ruling !== undefined, `there is no partition ${partitionId}`);
    return ruling;
  }

  /** Who owns the partition in which the key lives. */
  ownerOf(key: string): NodeId | null {
    return this.get(partitionOf(key, this.partitionCount)).owner;
  }

  partitionsForNode(nodeId: NodeId): NodePartitions {
    this.#byNode ??= groupByNode(this.#rulings);
    return this.#byNode.get(nodeId) ?? { owned: [], backup: [] };
  }

  /** Rulings on partitions that the table does not have are ignored, like those that are old. */
  applyAssignments(rulings: readonly Ruling[], version: Version): ClusterPartitionTable {
    let merged: Ruling[] | null = null;
    for (const ruling of rulings) {
      const known = (merged ?? this.#rulings)[ruling.partitionId];
      if (known === undefined || ruling.epoch <= known.epoch) continue;
      merged ??= [...this.#rulings];
      merged[ruling.partitionId] = ruling;
    }
    if (merged === null && version <= this.version) return this;
    return new ClusterPartitionTable(merged ?? this.#rulings, max(version, this.version));
  }

  /**
   * The placement as `computeAssignment` wants it. Copies that are being made count as backups,
   * after the complete ones, or each new plan would begin another copy instead of waiting.
   */
  placements(): readonly Placement[] {
    return this.#rulings.map((ruling) => {
      const copying = copyIds(ruling, "copying");
      return { owner: ruling.owner, backups: [...copyIds(ruling, "complete"), ...copying] };
    });
  }

  /** The rulings by partition id. */
  rulings(): readonly Ruling[] {
    return this.#rulings;
  }
}

/** What clients and fronts get to see. */
export function toPartitionMap(
  table: ClusterPartitionTable,
  members: MembersView,
  nowMs: number,
): PartitionMapPayload {
  return {
    version: table.version,
    viewVersion: members.version,
    partitionCount: table.partitionCount,
    nodes: members.members.map(nodeInMap),
    partitions: table.rulings().map(partitionInMap),
    generatedAt: nowMs,
  };
}

export const nodeInMap = ({ nodeId, state }: MemberInfo): PartitionMapPayload["nodes"][number] => ({
  nodeId,
  endpoints: { websocket: `/v1/ws?node=${nodeId}` },
  status: STATUS_OF[state],
});

export const partitionInMap = (ruling: Ruling): PartitionMapPayload["partitions"][number] => ({
  partitionId: ruling.partitionId,
  ownerNodeId: ruling.owner,
  backupNodeIds: copyIds(ruling, "complete"),
});

const STATUS_OF: Record<NodeState, NodeStatus> = {
  joining: "JOINING",
  active: "ACTIVE",
  suspect: "SUSPECTED",
  leaving: "LEAVING",
  dead: "FAILED",
  removed: "FAILED",
};

function groupByNode(rulings: readonly Ruling[]): ReadonlyMap<NodeId, NodePartitions> {
  const byNode = new Map<NodeId, { owned: PartitionId[]; backup: PartitionId[] }>();
  const of = (nodeId: NodeId): { owned: PartitionId[]; backup: PartitionId[] } => {
    const known = byNode.get(nodeId) ?? { owned: [], backup: [] };
    byNode.set(nodeId, known);
    return known;
  };
  for (const ruling of rulings) {
    if (ruling.owner !== null) of(ruling.owner).owned.push(ruling.partitionId);
    for (const nodeId of copyIds(ruling, "complete")) of(nodeId).backup.push(ruling.partitionId);
  }
  return byNode;
}

const copyIds = ({ copies }: Ruling, wanted: "copying" | "complete"): NodeId[] =>
  copies.filter(({ state }) => state === wanted).map(({ nodeId }) => nodeId);

const max = (a: Version, b: Version): Version => (a > b ? a : b);
