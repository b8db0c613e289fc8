/** A cluster as its front sees it: what it answers is what its coordinator says. */
import type { ClusterId, NodeId, PartitionId } from "../data/ids.ts";
import { isMaster, masterOf, type MembersView, type PartitionMapPayload } from "../data/members.ts";
import { ok } from "../data/result.ts";
import { toPartitionMap } from "../core/placement/table.ts";
import type {
  AddNodes,
  ClaimPartition,
  ClusterMessage,
  ClusterReport,
  MergeStarted,
  MigrationsReport,
  NodesAdded,
  PlannedMove,
  RepairProgress,
  RepairReport,
} from "../protocol/cluster-messages.ts";
import type { ClusterService } from "../protocol/contracts.ts";
import type { Front } from "./front.ts";
import type { Known } from "./known.ts";
import type { Parsed } from "./routes.ts";

export class Cluster implements ClusterService {
  readonly #front: Front;
  constructor(front: Front) {
    this.#front = front;
  }

  health(): Promise<Parsed<ClusterReport>> {
    return this.#front.ask({ type: "FETCH_CLUSTER" }, "CLUSTER_REPORT");
  }

  /** Anew, whatever this front knows already. */
  state(): Promise<Parsed<Known>> {
    return this.#front.refetch();
  }
  async partitionMap(): Promise<Parsed<PartitionMapPayload>> {
    const known = await this.state();
    return known.ok ? ok(toPartitionMap(known.value.table, known.value.view, Date.now())) : known;
  }

  async members(): Promise<Parsed<MembersView>> {
    const known = await this.state();
    return known.ok ? ok(known.value.view) : known;
  }
  async master(): Promise<Parsed<NodeId | null>> {
    const view = await this.members();
    return view.ok ? ok(masterOf(view.value)) : view;
  }
  async isMaster(nodeId: NodeId): Promise<Parsed<boolean>> {
    const view = await this.members();
    return view.ok ? ok(isMaster(view.value, nodeId)) : view;
  }

  async join(nodes: Omit<AddNodes, "type">): Promise<Parsed<NodesAdded>> {
    // The cluster may still be forming; said twice, an order to add nodes would add twice as many.
    const known = await this.#front.known();
    if (!known.ok) return known;
    const order = { type: "ADD_NODES", ...nodes } as const;
    return this.#front.ask(order, "NODES_ADDED", { repeatable: false });
  }
  leave(nodeId: NodeId): Promise<Parsed<readonly PlannedMove[]>> {
    return this.#planned({ type: "LEAVE_REQUEST", nodeId });
  }
  /** Without its consent: what only it has is given up. */
  evict(nodeId: NodeId): Promise<Parsed<readonly PlannedMove[]>> {
    return this.#planned({ type: "LEAVE_REQUEST", nodeId, force: true });
  }
  claim(message: ClaimPartition): Promise<Parsed<readonly PlannedMove[]>> {
    return this.#planned(message);
  }
  drain(nodeId: NodeId): Promise<Parsed<readonly PlannedMove[]>> {
    return this.#planned({ type: "DRAIN_NODE", nodeId });
  }

  migrations(): Promise<Parsed<MigrationsReport>> {
    return this.#front.ask({ type: "FETCH_MIGRATIONS" }, "MIGRATIONS_REPORT");
  }
  move(partitionId: PartitionId, to: NodeId): Promise<Parsed<readonly PlannedMove[]>> {
    return this.#planned({ type: "MOVE_PARTITION", partitionId, to });
  }
  cancel(partitionId: PartitionId): Promise<Parsed<readonly PlannedMove[]>> {
    return this.#planned({ type: "CANCEL_MOVE", partitionId });
  }
  async repair(): Promise<Parsed<RepairProgress | null>> {
    return repairOf(await this.#front.ask({ type: "REPAIR" }, "REPAIR_REPORT"));
  }
  async lastRepair(): Promise<Parsed<RepairProgress | null>> {
    return repairOf(await this.#front.ask({ type: "FETCH_REPAIR" }, "REPAIR_REPORT"));
  }

  /** Whichever of the two wins, the rows of both are there. */
  merge(clusterId: ClusterId): Promise<Parsed<MergeStarted>> {
    return this.#front.ask({ type: "MERGE_CLUSTER", clusterId }, "MERGE_STARTED");
  }
  rebalance(): Promise<Parsed<readonly PlannedMove[]>> {
    return this.#planned({ type: "REBALANCE" });
  }

  async #planned(message: ClusterMessage): Promise<Parsed<readonly PlannedMove[]>> {
    const answer = await this.#front.ask(message, "PLANNED");
    return answer.ok ? ok(answer.value.plan) : answer;
  }
}

const repairOf = (answer: Parsed<RepairReport>): Parsed<RepairProgress | null> =>
  answer.ok ? ok(answer.value.repair) : answer;
