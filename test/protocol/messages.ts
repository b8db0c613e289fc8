/** An arbitrary for every message of the protocol. The tables are complete, or do not compile. */
import fc from "fast-check";
import { BUCKETS_BYTES } from "../../src/data/digest.ts";
import type { ClientMessage, ServerMessage } from "../../src/protocol/client-messages.ts";
import type { ClusterMessage, Envelope } from "../../src/protocol/cluster-messages.ts";
import { PROTOCOL_VERSION } from "../../src/protocol/version.ts";
import * as a from "./arbitraries.ts";
import { of } from "./message-of.ts";
import { mapMessages } from "./map-messages.ts";
import { mergeMessages } from "./merge-messages.ts";
import { repairMessages } from "./repair-messages.ts";
import { reignMessages } from "./reign-messages.ts";
import {
  subscribedMessages,
  subscriberMessages,
  subscriptionMessages,
} from "./subscription-messages.ts";

type Table<Union extends { readonly type: string }> = {
  readonly [Type in Union["type"]]: fc.Arbitrary<Extract<Union, { readonly type: Type }>>;
};

type Cluster<Type extends ClusterMessage["type"]> = Extract<ClusterMessage, { type: Type }>;
type Client<Type extends ClientMessage["type"]> = Extract<ClientMessage, { type: Type }>;
type Server<Type extends ServerMessage["type"]> = Extract<ServerMessage, { type: Type }>;

const { ack, count, digest, epoch, nodeId, partitionId, purpose, ruling, seq, version } = a;
const move = { migrationId: a.migrationId, partitionId };
const copy = { partitionId, nodeId, epoch };
const taker = { newOwner: nodeId, ruling };
const giver = { sourceNodeId: nodeId, epoch, digest };
const rows = a.list(a.row);
const after = fc.option(a.identity);
const plan = a.list(fc.record({ partitionId, source: nodeId, target: nodeId }));
const partitionIds = a.list(partitionId);
export const clusterMessages: Table<ClusterMessage> = {
  ...mergeMessages,
  ...repairMessages,
  ...subscriptionMessages,
  INVITE: of<Cluster<"INVITE">>()("INVITE", {
    clusterId: a.clusterId,
    nodeId,
    region: a.region,
    weight: a.weight,
  }),
  JOIN_REQUEST: of<Cluster<"JOIN_REQUEST">>()(
    "JOIN_REQUEST",
    {
      nodeId,
      host: fc.constant("0".repeat(64)),
      clientPort: fc.constant(0),
      clusterPort: fc.constant(0),
      clusterId: a.clusterId,
      protocolVersion: count,
      authToken: a.shortText,
      incarnation: a.incarnation,
    },
    ["authToken"],
  ),
  JOIN_RESPONSE: of<Cluster<"JOIN_RESPONSE">>()(
    "JOIN_RESPONSE",
    {
      accepted: fc.boolean(),
      rejectReason: fc.constantFrom(
        "AUTH_FAILED" as const,
        "CLUSTER_FULL" as const,
        "NOT_LEADING" as const,
      ),
      membersView: a.membersView,
      partitionAssignments: a.list(ruling),
      tableVersion: version,
      partitionCount: a.partitionCount,
      digestKey: fc.record({ a: fc.nat(2 ** 31 - 1), b: fc.constantFrom(0, 2 ** 32 - 1) }),
    },
    [
      "rejectReason",
      "membersView",
      "partitionAssignments",
      "tableVersion",
      "partitionCount",
      "digestKey",
    ],
  ),
  MEMBERS_UPDATE: of<Cluster<"MEMBERS_UPDATE">>()("MEMBERS_UPDATE", {
    view: a.membersView,
    clusterTimeMs: a.moment,
  }),
  LEAVE_REQUEST: of<Cluster<"LEAVE_REQUEST">>()(
    "LEAVE_REQUEST",
    { nodeId, reason: a.shortText, force: fc.boolean() },
    ["reason", "force"],
  ),
  HEARTBEAT: of<Cluster<"HEARTBEAT">>()("HEARTBEAT", {
    senderId: nodeId,
    timestampMs: a.moment,
    incarnation: a.incarnation,
    membersViewVersion: version,
    tableVersion: version,
    beat: count,
    dormant: fc.boolean(),
    suspectedNodes: a.list(nodeId),
    importing: partitionIds,
    migrating: partitionIds,
  }),
  ...reignMessages,
  PARTITION_TABLE_UPDATE: of<Cluster<"PARTITION_TABLE_UPDATE">>()(
    "PARTITION_TABLE_UPDATE",
    {
      assignments: a.list(ruling),
      version,
      baseVersion: version,
      partitionCount: a.partitionCount,
      completedMigrations: a.list(a.migrationId),
      view: a.membersView,
    },
    ["view"],
  ),
  FETCH_PARTITION_TABLE: of<Cluster<"FETCH_PARTITION_TABLE">>()("FETCH_PARTITION_TABLE", {}),
  ASK_RULING: of<Cluster<"ASK_RULING">>()("ASK_RULING", { partitionId }),
  RULING: of<Cluster<"RULING">>()("RULING", { ruling }),
  CONFIRM: of<Cluster<"CONFIRM">>()("CONFIRM", { partitionId, epoch }),
  CONFIRMED: of<Cluster<"CONFIRMED">>()("CONFIRMED", { partitionId, epoch, sole: fc.boolean() }),
  MIGRATE_START: of<Cluster<"MIGRATE_START">>()("MIGRATE_START", {
    ...move,
    destinationNodeId: nodeId,
    purpose,
    ruling,
  }),
  COMPLETE: of<Cluster<"COMPLETE">>()("COMPLETE", {
    ...move,
    nodeId,
    epoch,
    digest,
    rows: count,
    bytes: count,
  }),
  MIGRATE_READY: of<Cluster<"MIGRATE_READY">>()("MIGRATE_READY", { ...move, ...giver }),
  MIGRATE_FINALIZE: of<Cluster<"MIGRATE_FINALIZE">>()("MIGRATE_FINALIZE", { ...move, ...taker }),
  MIGRATE_CANCEL: of<Cluster<"MIGRATE_CANCEL">>()(
    "MIGRATE_CANCEL",
    { ...move, reason: a.shortText, epoch, ruling },
    ["ruling"],
  ),
  STRIKE_COPY: of<Cluster<"STRIKE_COPY">>()("STRIKE_COPY", { ...copy, reason: a.shortText }),
  STRIKE: of<Cluster<"STRIKE">>()("STRIKE", { ruling }),
  HEARD: of<Cluster<"HEARD">>()(
    "HEARD",
    { partitionId, nodeId, epoch, migrationId: a.migrationId },
    ["migrationId"],
  ),
  DROPPED: of<Cluster<"DROPPED">>()("DROPPED", copy),
  MIGRATE_DATA: of<Cluster<"MIGRATE_DATA">>()(
    "MIGRATE_DATA",
    {
      partitionId,
      streamId: seq,
      n: count,
      epoch,
      chunk: rows,
      deltas: rows,
      collect: rows,
      sourceVersion: seq,
      marker: fc.boolean(),
      ruling,
    },
    ["collect", "ruling"],
  ),
  STREAM_ACK: of<Cluster<"STREAM_ACK">>()(
    "STREAM_ACK",
    {
      partitionId,
      streamId: seq,
      status: fc.constantFrom("opened" as const, "unknown" as const, "busy" as const),
      next: count,
      openedSeq: seq,
      ruling,
      buckets: fc.option(fc.uint8Array({ minLength: BUCKETS_BYTES, maxLength: BUCKETS_BYTES })),
      markerN: count,
    },
    ["openedSeq", "ruling", "buckets", "markerN"],
  ),
  PULL_ROWS: of<Cluster<"PULL_ROWS">>()("PULL_ROWS", {
    partitionId,
    streamId: seq,
    buckets: a.list(fc.nat(255)),
    after,
  }),
  PULLED_ROWS: of<Cluster<"PULLED_ROWS">>()("PULLED_ROWS", {
    partitionId,
    streamId: seq,
    rows,
    after,
  }),
  ROW_OFFER: of<Cluster<"ROW_OFFER">>()(
    "ROW_OFFER",
    { partitionId, offerId: seq, ruling, rows, tail: epoch },
    ["tail"],
  ),
  ROW_OFFER_ACK: of<Cluster<"ROW_OFFER_ACK">>()(
    "ROW_OFFER_ACK",
    { partitionId, offerId: seq, accepted: fc.boolean(), whole: fc.boolean(), ruling },
    ["whole"],
  ),
  OP_FORWARD: of<Cluster<"OP_FORWARD">>()(
    "OP_FORWARD",
    {
      sourceNodeId: fc.oneof(nodeId, fc.constant("front" as const)),
      targetPartitionId: partitionId,
      clientId: a.clientId,
      forwardId: seq,
      ack,
      together: fc.boolean(),
      rulings: a.list(ruling),
      ops: a.list(a.op),
    },
    ["targetPartitionId", "clientId", "ack", "together"],
  ),
  OP_FORWARDED: of<Cluster<"OP_FORWARDED">>()("OP_FORWARDED", {
    forwardId: seq,
    results: a.list(fc.oneof(a.opResult, a.readResult)),
    notOwned: a.list(ruling),
  }),
  SCAN: of<Cluster<"SCAN">>()("SCAN", {
    partitionIds,
    map: a.map,
    prefix: a.key,
    after: fc.option(a.key),
    limit: fc.integer({ min: 1, max: 1_000 }),
  }),
  SCANNED: of<Cluster<"SCANNED">>()(
    "SCANNED",
    {
      pages: a.list(
        fc.record({
          partitionId,
          entries: a.list(fc.record({ key: a.key, value: fc.uint8Array({ maxLength: 9 }) })),
          done: fc.boolean(),
        }),
      ),
      notOwned: a.list(ruling),
      ceded: fc.record({ into: a.clusterId, partitionIds }),
    },
    ["ceded"],
  ),
  ADD_NODES: of<Cluster<"ADD_NODES">>()(
    "ADD_NODES",
    {
      count: fc.integer({ min: 1, max: 100 }),
      nodeId,
      region: a.region,
      weight: fc.integer({ min: 1, max: 100 }),
    },
    ["nodeId"],
  ),
  NODES_ADDED: of<Cluster<"NODES_ADDED">>()("NODES_ADDED", { nodes: a.list(nodeId), plan }),
  DRAIN_NODE: of<Cluster<"DRAIN_NODE">>()("DRAIN_NODE", { nodeId }),
  MOVE_PARTITION: of<Cluster<"MOVE_PARTITION">>()("MOVE_PARTITION", { partitionId, to: nodeId }),
  CLAIM_PARTITION: of<Cluster<"CLAIM_PARTITION">>()("CLAIM_PARTITION", {
    partitionId,
    nodeId,
    epoch,
  }),
  CANCEL_MOVE: of<Cluster<"CANCEL_MOVE">>()("CANCEL_MOVE", { partitionId }),
  REBALANCE: of<Cluster<"REBALANCE">>()("REBALANCE", {}),
  PLANNED: of<Cluster<"PLANNED">>()("PLANNED", { plan }),
  FETCH_CLUSTER: of<Cluster<"FETCH_CLUSTER">>()("FETCH_CLUSTER", {}),
  CLUSTER_REPORT: of<Cluster<"CLUSTER_REPORT">>()(
    "CLUSTER_REPORT",
    {
      merge: fc.record(
        {
          winner: a.clusterId,
          loser: a.clusterId,
          phase: fc.constantFrom(...(["asking", "ceding", "merged", "failed"] as const)),
          left: fc.option(count),
          error: a.errorInfo,
        },
        { requiredKeys: ["winner", "loser", "phase", "left"] },
      ),
      term: a.term,
      leading: fc.boolean(),
      quorum: fc.option(fc.boolean()),
      view: a.membersView,
      tableVersion: version,
      partitionCount: a.partitionCount,
      masterNodeId: fc.option(nodeId),
      members: a.list(
        fc.record({
          nodeId,
          state: a.nodeState,
          owned: count,
          backup: count,
          importing: partitionIds,
          migrating: partitionIds,
          dormant: fc.boolean(),
        }),
      ),
      migrations: fc.record({ running: count, queued: count, completed: count, failed: count }),
    },
    ["merge"],
  ),
  FETCH_MIGRATIONS: of<Cluster<"FETCH_MIGRATIONS">>()("FETCH_MIGRATIONS", {}),
  MIGRATIONS_REPORT: of<Cluster<"MIGRATIONS_REPORT">>()("MIGRATIONS_REPORT", {
    running: a.migrations,
    queued: a.migrations,
    finished: a.migrations,
  }),
  FETCH_NODE_STATUS: of<Cluster<"FETCH_NODE_STATUS">>()("FETCH_NODE_STATUS", {}),
  NODE_STATUS_REPORT: of<Cluster<"NODE_STATUS_REPORT">>()("NODE_STATUS_REPORT", {
    nodeId,
    rows: count,
    bytes: count,
    opsPerSecond: fc
      .double({ min: 0, noNaN: true, noDefaultInfinity: true })
      .map((rate) => rate + 0),
    rowsWritten: count,
  }),
  DONE: of<Cluster<"DONE">>()("DONE", {}),
  ERROR: of<Cluster<"ERROR">>()("ERROR", { error: a.errorInfo }),
};

export const clientMessages: Table<ClientMessage> = {
  HELLO: of<Client<"HELLO">>()(
    "HELLO",
    {
      version: fc.constant(PROTOCOL_VERSION),
      cluster: a.clusterId,
      clientId: a.clientId,
      forward: fc.boolean(),
      received: count,
    },
    ["clientId", "received"],
  ),
  OPS: of<Client<"OPS">>()("OPS", { seq: count, ops: a.list(a.clientOp), ack, received: count }, [
    "received",
    "ack",
  ]),
  CALL: of<Client<"CALL">>()("CALL", { seq: count, calls: a.list(a.clientCall), received: count }, [
    "received",
  ]),
  GET: of<Client<"GET">>()("GET", { seq: count, keys: a.list(a.question), received: count }, [
    "received",
  ]),
  FETCH_MAP: of<Client<"FETCH_MAP">>()(
    "FETCH_MAP",
    { version, viewVersion: version, received: count },
    ["version", "viewVersion", "received"],
  ),
  RECEIVED: of<Client<"RECEIVED">>()("RECEIVED", { received: count }),
  ...subscriberMessages,
};

const index = fc.nat(999);

export const serverMessages: Table<ServerMessage> = {
  WELCOME: of<Server<"WELCOME">>()("WELCOME", {
    version: fc.constant(PROTOCOL_VERSION),
    clientId: a.clientId,
    nodeId,
    forward: fc.boolean(),
    nowMs: a.moment,
    creditFrames: count,
    creditOps: count,
    creditBytes: count,
    map: a.partitionMap,
  }),
  ACK: of<Server<"ACK">>()("ACK", {
    seq: count,
    exceptions: a.list(fc.record({ index, result: fc.oneof(a.superseded, a.refused) })),
  }),
  REPLIES: of<Server<"REPLIES">>()("REPLIES", { seq: count, replies: a.list(a.callResult) }),
  VALUES: of<Server<"VALUES">>()("VALUES", { seq: count, values: a.list(a.readResult) }),
  ...mapMessages,
  ERROR: of<Server<"ERROR">>()("ERROR", { seq: fc.option(count), error: a.errorInfo }),
  ...subscribedMessages,
};

export const clusterMessage: fc.Arbitrary<ClusterMessage> = fc.oneof(
  ...Object.values(clusterMessages),
);
export const clientMessage: fc.Arbitrary<ClientMessage> = fc.oneof(
  ...Object.values(clientMessages),
);
export const serverMessage: fc.Arbitrary<ServerMessage> = fc.oneof(
  ...Object.values(serverMessages),
);

export const envelopeOf = (message: fc.Arbitrary<ClusterMessage>): fc.Arbitrary<Envelope> =>
  fc.record(
    {
      clusterId: a.clusterId,
      version: fc.constant(PROTOCOL_VERSION),
      term: a.term,
      from: fc.oneof(nodeId, fc.constantFrom("coordinator" as const, "front" as const)),
      message,
    },
    { noNullPrototype: true },
  );
