/** What is exported from one place, by the names that others know it by. */
import { describe, expect, expectTypeOf, it } from "vitest";
import type * as godwit from "../src/index.ts";
import {
  DeadlineFailureDetector,
  decodeEnvelope,
  encodeEnvelope,
  PhiAccrualFailureDetector,
  type ClusterMessage,
  type ClusterPartitionService,
  type ClusterService,
  type FailureDetector,
  type MembershipService,
  type MigrationService,
} from "../src/index.ts";
import * as values from "../src/index.ts";
import { ClusterPartitionTable } from "../src/core/placement/table.ts";
import { NodeId } from "../src/data/ids.ts";
import type { Cluster } from "../src/worker/cluster.ts";
import { envelope, SAMPLES } from "./protocol/samples.ts";

/** Fails to compile where a name is missing. */
interface Types {
  readonly membership: [
    godwit.NodeState,
    godwit.NodeStatus,
    godwit.MemberInfo,
    godwit.MembersView,
    godwit.ClusterHealth,
    godwit.ClusterConfig,
    godwit.ClusterState,
    godwit.ClusterChange,
    godwit.PartitionMapPayload,
  ];
  readonly partitions: [godwit.PartitionState, godwit.PartitionMeta, godwit.PartitionAssignment];
  readonly moves: [
    godwit.MigrationPhase,
    godwit.MigrationTask,
    godwit.ActiveMigration,
    godwit.MigrationCommand,
    godwit.InboundClusterMessage,
    godwit.MapStateChunk,
    godwit.DeltaOp,
  ];
  readonly detectors: [godwit.PhiAccrualConfig, godwit.FailureDetector];
}

describe("the exported names", () => {
  it("are functions and classes", () => {
    const functions: readonly (keyof typeof values)[] = [
      "computeAssignment",
      "planRebalance",
      "orderMigrations",
      "master",
      "isMaster",
      "toPartitionMap",
      "changesBetween",
      "partitionStateAt",
      "partitionMeta",
      "activeMigrations",
      "isImporting",
      "isMigrating",
      "isKeyMigrated",
      "ClusterPartitionTable",
      "PhiAccrualFailureDetector",
      "DeadlineFailureDetector",
    ];
    for (const name of functions)
      expect(new Map(Object.entries(values)).get(name), name).toBeTypeOf("function");
    const table = ClusterPartitionTable.empty(1);
    for (const method of ["applyAssignments", "partitionsForNode"] as const)
      expect(table[method]).toBeTypeOf("function");
  });

  it("are types, each of them something", () => {
    expectTypeOf<Types>().not.toBeAny();
    expectTypeOf<Types["membership"][number]>().not.toBeAny();
    expectTypeOf<Types["partitions"][number]>().not.toBeAny();
    expectTypeOf<Types["moves"][number]>().not.toBeAny();
    expectTypeOf<Types["detectors"][number]>().not.toBeAny();
    expectTypeOf<godwit.PartitionState>().toEqualTypeOf<
      "unassigned" | "active" | "migrating" | "receiving" | "draining" | "lost"
    >();
    expectTypeOf<godwit.MigrationPhase>().toEqualTypeOf<
      "replicating" | "ready" | "finalizing" | "failed"
    >();
  });

  it("are contracts, which the parts that run satisfy", () => {
    expectTypeOf<Cluster>().toExtend<ClusterService>();
    expectTypeOf<Cluster>().toExtend<MembershipService>();
    expectTypeOf<Cluster>().toExtend<MigrationService>();
    expectTypeOf<ClusterPartitionTable>().toExtend<ClusterPartitionService>();
    const config = { phiThreshold: 8, maxSampleSize: 3, minStdDevMs: 1, maxNoHeartbeatMs: 1 };
    const detectors: readonly FailureDetector[] = [
      new PhiAccrualFailureDetector(config),
      new DeadlineFailureDetector(config),
    ];
    const nobody = NodeId("nobody");
    for (const detector of detectors) {
      expect(detector.isAlive(nobody, 0)).toBe(true);
      expect(detector.suspicionLevel(nobody, 0)).toBe(0);
    }
  });

  it("are messages: each that is known by a name is said and understood under it", () => {
    const spoken = new Set<string>(Object.values(SAMPLES.cluster).map(({ type }) => type));
    for (const type of MESSAGES) expect(spoken, type).toContain(type);
    const [first] = Object.values(SAMPLES.cluster);
    expect(first && decodeEnvelope(encodeEnvelope(envelope(first))).ok).toBe(true);
  });
});

const MESSAGES: readonly ClusterMessage["type"][] = [
  "JOIN_REQUEST",
  "JOIN_RESPONSE",
  "MEMBERS_UPDATE",
  "LEAVE_REQUEST",
  "HEARTBEAT",
  "PARTITION_TABLE_UPDATE",
  "FETCH_PARTITION_TABLE",
  "MIGRATE_START",
  "MIGRATE_DATA",
  "MIGRATE_READY",
  "MIGRATE_FINALIZE",
  "MIGRATE_CANCEL",
  "OP_FORWARD",
];
