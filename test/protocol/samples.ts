/** One fixed message of each kind that matters, for examples, for hostile changes and for the schema hash. */
import {
  ClusterId,
  Epoch,
  Incarnation,
  MigrationId,
  NodeId,
  PartitionId,
  Seq,
  Term,
  Version,
} from "../../src/data/ids.ts";
import { formatStamp } from "../../src/data/hlc.ts";
import type { MembersView } from "../../src/data/members.ts";
import type { Row } from "../../src/data/row.ts";
import type { Ruling } from "../../src/data/ruling.ts";
import type { ClientMessage, ServerMessage } from "../../src/protocol/client-messages.ts";
import type { ClusterMessage, Envelope } from "../../src/protocol/cluster-messages.ts";
import { makeError } from "../../src/protocol/errors.ts";
import { actorSamples } from "./actor-samples.ts";
import { client } from "./client-samples.ts";
import { repairSamples } from "./repair-messages.ts";
import { server } from "./server-samples.ts";
import { subscriptionSamples } from "./subscription-messages.ts";

const N1 = NodeId("n1");
const N2 = NodeId("n2");
const P3 = PartitionId(3);
const migration = { migrationId: MigrationId("p3-7"), partitionId: P3 };
const stamp = { millis: 1_700_000_000_000, counter: 2, node: "n1.1" };
const value = Uint8Array.of(1, 2, 3);

const ruling: Ruling = {
  partitionId: P3,
  epoch: Epoch(7),
  owner: N1,
  since: Epoch(5),
  copies: [{ nodeId: N2, state: "copying" }],
};

const member = {
  nodeId: N1,
  host: "0123456789abcdef",
  clientPort: 0,
  clusterPort: 0,
  region: "weur",
  weight: 1,
  state: "active",
  joinVersion: Version(1),
  incarnation: Incarnation(1),
} as const;

const view: MembersView = {
  version: Version(4),
  members: [member, { ...member, nodeId: N2, state: "joining", joinVersion: Version(4) }],
};

const rowIn = (mapName: string, key: string): Row => ({
  map: mapName,
  key,
  kind: "lww",
  sub: "",
  stamp,
  value,
  expiresAt: null,
});
const dead: Row = { ...rowIn("users", "user:2"), value: null, expiresAt: 1_700_000_001_000 };
const identity = { map: "users", key: "user:1", kind: "lww", sub: "" } as const;

const tags = { map: "users", key: "user:1:tags" };
const added: Row = {
  ...tags,
  kind: "or",
  sub: `0123456789abcdef${formatStamp(stamp)}`,
  stamp,
  value,
  expiresAt: null,
};
const removed: Row = { ...added, value: null };

const cluster = {
  "join request with a token": {
    type: "JOIN_REQUEST",
    nodeId: N1,
    host: "0123456789abcdef",
    clientPort: 0,
    clusterPort: 0,
    clusterId: ClusterId("main"),
    protocolVersion: 1,
    authToken: "secret",
    incarnation: Incarnation(0),
  },
  "join response accepted": {
    type: "JOIN_RESPONSE",
    accepted: true,
    membersView: view,
    partitionAssignments: [ruling],
    tableVersion: Version(9),
    partitionCount: 271,
    digestKey: { a: 1, b: 2 ** 32 - 1 },
  },
  "join response rejected": {
    type: "JOIN_RESPONSE",
    accepted: false,
    rejectReason: "CLUSTER_FULL",
  },
  "members update with several members": {
    type: "MEMBERS_UPDATE",
    view,
    clusterTimeMs: 1_700_000_000_000,
  },
  "leave with a reason": { type: "LEAVE_REQUEST", nodeId: N1, reason: "scale in" },
  "leave without a reason": { type: "LEAVE_REQUEST", nodeId: N1 },
  "heartbeat with suspects": {
    type: "HEARTBEAT",
    senderId: N1,
    timestampMs: 1_700_000_000_000,
    incarnation: Incarnation(2),
    membersViewVersion: Version(4),
    tableVersion: Version(9),
    beat: 7,
    dormant: false,
    suspectedNodes: [N2],
    importing: [P3],
    migrating: [],
  },
  campaign: { type: "CAMPAIGN", term: Term(12), viewVersion: Version(4) },
  "grant with a newer view": {
    type: "GRANT",
    nodeId: N1,
    term: Term(12),
    viewVersion: Version(5),
    tableVersion: Version(9),
    partitions: [{ ruling, role: "owner" }],
    view: { ...view, version: Version(5) },
  },
  probe: { type: "PROBE" },
  "heartbeat complaint": {
    type: "HEARTBEAT_COMPLAINT",
    complainerId: N1,
    complainerViewVersion: Version(4),
    suspectId: N2,
    suspectViewVersion: Version(4),
  },
  "explicit suspicion": {
    type: "EXPLICIT_SUSPICION",
    suspectId: N2,
    reason: "no answer",
    masterViewVersion: Version(4),
  },
  claim: { type: "CLAIM_PARTITION", partitionId: P3, nodeId: N2, epoch: Epoch(7) },
  "partition table update": {
    type: "PARTITION_TABLE_UPDATE",
    assignments: [ruling, { ...ruling, owner: null, copies: [] }],
    version: Version(9),
    baseVersion: Version(8),
    partitionCount: 271,
    completedMigrations: [MigrationId("p3-6")],
  },
  "fetch partition table": { type: "FETCH_PARTITION_TABLE" },
  "migrate start": {
    type: "MIGRATE_START",
    ...migration,
    destinationNodeId: N2,
    purpose: "backup",
    ruling,
  },
  "strike copy": {
    type: "STRIKE_COPY",
    partitionId: P3,
    nodeId: N2,
    epoch: Epoch(7),
    reason: "silent",
  },
  "data with chunks and deltas": {
    type: "MIGRATE_DATA",
    partitionId: P3,
    streamId: Seq(5),
    n: 1,
    epoch: Epoch(7),
    chunk: [rowIn("users", "user:1"), dead, rowIn("carts", ""), rowIn("users", "user:3")],
    deltas: [rowIn("users", "user:1"), dead],
    sourceVersion: Seq(40),
    marker: false,
    ruling,
  },
  "data with rows to collect": {
    type: "MIGRATE_DATA",
    partitionId: P3,
    streamId: Seq(5),
    n: 2,
    epoch: Epoch(7),
    chunk: [],
    deltas: [],
    collect: [dead, { ...rowIn("users", "user:4"), value: new Uint8Array(0), expiresAt: 7 }],
    sourceVersion: Seq(41),
    marker: false,
  },
  confirm: { type: "CONFIRM", partitionId: P3, epoch: Epoch(7) },
  confirmed: { type: "CONFIRMED", partitionId: P3, epoch: Epoch(7), sole: true },
  "stream ack with buckets": {
    type: "STREAM_ACK",
    partitionId: P3,
    streamId: Seq(5),
    status: "opened",
    next: 2,
    openedSeq: Seq(7),
    buckets: new Uint8Array(2_048),
    markerN: 1,
  },
  "pulled rows": {
    type: "PULLED_ROWS",
    partitionId: P3,
    streamId: Seq(5),
    rows: [dead],
    after: identity,
  },
  "row offer": {
    type: "ROW_OFFER",
    partitionId: P3,
    offerId: Seq(1),
    ruling,
    rows: [dead],
    tail: Epoch(5),
  },
  "migrate ready": {
    type: "MIGRATE_READY",
    ...migration,
    sourceNodeId: N1,
    epoch: Epoch(7),
    digest: "0123456789abcdef",
  },
  "migrate finalize": { type: "MIGRATE_FINALIZE", ...migration, newOwner: N2, ruling },
  "migrate cancel": { type: "MIGRATE_CANCEL", ...migration, reason: "deadline", epoch: Epoch(7) },
  "forward with bytes": {
    type: "OP_FORWARD",
    sourceNodeId: "front",
    targetPartitionId: P3,
    clientId: "c-1",
    forwardId: Seq(6),
    together: true,
    rulings: [],
    ops: [
      { type: "read", map: "users", key: "user:1" },
      { type: "write", map: "users", key: "user:1", stamp: null, value, expiresAt: null },
      { type: "write", map: "users", key: "user:1", stamp, value: null, expiresAt: 5 },
      { type: "add", ...tags, value, expiresAt: null },
      { type: "remove", ...tags, stamp: null, value },
      { type: "remove", ...tags, stamp, value },
      { type: "increment", map: "views", key: "page:1", inc: 7, dec: 0 },
      { type: "members", ...tags, after: null, limit: 100 },
      { type: "total", map: "views", key: "page:1" },
      { type: "merge", ...tags, rows: [added, removed] },
    ],
  },
  "forwarded with every kind of result": {
    type: "OP_FORWARDED",
    forwardId: Seq(6),
    results: [
      { type: "stored", stamp },
      { type: "superseded", stamp },
      { type: "refused", error: makeError("OVERLOADED", { field: "ops", value: 2, max: 1 }) },
      { type: "value", value, stamp: null },
      { type: "value", value: null, stamp },
      { type: "members", members: [{ value, tags: [stamp] }], after: "0123456789abcdef" },
      { type: "total", inc: 7, dec: 1 },
    ],
    notOwned: [],
  },
  scanned: {
    type: "SCANNED",
    pages: [{ partitionId: P3, entries: [{ key: "user:1", value }], done: true }],
    notOwned: [ruling],
  },
  "scanned where a partition was ceded": {
    type: "SCANNED",
    pages: [],
    notOwned: [],
    ceded: { into: ClusterId("west"), partitionIds: [P3] },
  },
  "members of a cluster that took another in": {
    type: "MEMBERS_UPDATE",
    view: { ...view, taken: [ClusterId("east")] },
    clusterTimeMs: 1_700_000_000_000,
  },
  "members of whom one is drained": {
    type: "MEMBERS_UPDATE",
    view: { ...view, draining: [N1] },
    clusterTimeMs: 1_700_000_000_000,
  },
  "grant of one that hands over to another cluster": {
    type: "GRANT",
    nodeId: N1,
    term: Term(12),
    viewVersion: Version(4),
    tableVersion: Version(9),
    partitions: [{ ruling, role: "none" }],
    into: ClusterId("west"),
  },
  ...actorSamples,
  ...repairSamples,
  ...subscriptionSamples,
  "merge with another cluster": { type: "MERGE_CLUSTER", clusterId: ClusterId("east") },
  "merge started": {
    type: "MERGE_STARTED",
    winner: ClusterId("west"),
    loser: ClusterId("east"),
  },
  "split-brain probe": {
    type: "SPLIT_BRAIN_PROBE",
    receiverClusterId: ClusterId("west"),
    senderClusterId: ClusterId("east"),
    senderMasterId: N1,
    senderMemberCount: 3,
    senderViewVersion: Version(4),
    senderMasterJoinVersion: Version(1),
    partitionCount: 271,
  },
  "answer to a split-brain probe": {
    type: "SPLIT_BRAIN_PROBE_RESPONSE",
    responderClusterId: ClusterId("west"),
    responderMasterId: N2,
    responderMemberCount: 4,
    responderViewVersion: Version(6),
    responderMasterJoinVersion: Version(2),
    partitionCount: 271,
  },
  "split-brain probe of who takes the other in already": {
    type: "SPLIT_BRAIN_PROBE",
    receiverClusterId: ClusterId("east"),
    senderClusterId: ClusterId("west"),
    senderMasterId: N1,
    senderMemberCount: 3,
    senderViewVersion: Version(4),
    senderMasterJoinVersion: Version(1),
    partitionCount: 271,
    takesIn: true,
  },
  "answer of nobody to a split-brain probe": {
    type: "SPLIT_BRAIN_PROBE_RESPONSE",
    responderClusterId: ClusterId("west"),
    responderMasterId: null,
    responderMemberCount: 0,
    responderViewVersion: Version(0),
    responderMasterJoinVersion: null,
    partitionCount: 271,
    error: makeError("CLUSTER_NOT_FOUND", { clusterId: "west" }),
  },
  "merge request": {
    type: "MERGE_REQUEST",
    sourceClusterId: ClusterId("east"),
    sourceMembers: [member],
    sourceViewVersion: Version(7),
    partitionCount: 271,
    taken: [ClusterId("south")],
  },
  "merge accepted": {
    type: "MERGE_RESPONSE",
    responderClusterId: ClusterId("west"),
    sourceViewVersion: Version(7),
    accepted: true,
  },
  merged: { type: "MERGED", sourceClusterId: ClusterId("east") },
  cede: { type: "CEDE", into: ClusterId("west"), over: false },
  ceded: {
    type: "CEDED",
    nodeId: N1,
    over: false,
    partitions: [{ partitionId: P3, epoch: Epoch(7) }],
  },
} satisfies Record<string, ClusterMessage>;

export const SAMPLES: {
  readonly cluster: Readonly<Record<string, ClusterMessage>>;
  readonly client: Readonly<Record<string, ClientMessage>>;
  readonly server: Readonly<Record<string, ServerMessage>>;
} = { cluster, client, server };

export const envelope = (message: ClusterMessage): Envelope => ({
  clusterId: ClusterId("main"),
  version: 1,
  term: Term(2),
  from: N1,
  message,
});
