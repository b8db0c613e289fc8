/**
 * A second opinion on decoded messages, written against the documents and not against `src/protocol`:
 * per field name what a decoded value may be. Numbers are spelled out on purpose.
 */
type Rule = (value: unknown) => boolean;

const integer =
  (min: number, max: number): Rule =>
  (value) =>
    Number.isSafeInteger(value) &&
    !Object.is(value, -0) &&
    Number(value) >= min &&
    Number(value) <= max;
const text =
  (min: number, max: number): Rule =>
  (value) =>
    typeof value === "string" &&
    value.isWellFormed() &&
    Buffer.byteLength(value) >= min &&
    Buffer.byteLength(value) <= max;
const matching =
  (pattern: RegExp): Rule =>
  (value) =>
    typeof value === "string" && pattern.test(value);
const bytes =
  (min: number, max: number): Rule =>
  (value) =>
    value instanceof Uint8Array && value.length >= min && value.length <= max;
const list =
  (max: number): Rule =>
  (value) =>
    Array.isArray(value) && value.length <= max;
const oneOf =
  (...values: readonly unknown[]): Rule =>
  (value) =>
    values.includes(value);
const anyOf =
  (...rules: readonly Rule[]): Rule =>
  (value) =>
    rules.some((rule) => rule(value));
const isMap: Rule = (value) =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array);
const isNull = oneOf(null);
const boolean = oneOf(true, false);
const count = integer(0, Number.MAX_SAFE_INTEGER);
const moment = integer(0, 2 ** 48 - 1);
const partition = integer(0, 16_383);
const node: Rule = (value) =>
  matching(/^[a-z0-9-]{1,32}$/)(value) && value !== "coordinator" && value !== "front";
const sender = matching(/^[a-z0-9-]{1,32}$/);
const writer = matching(/^[A-Za-z0-9._-]{1,64}$/);

const RULES: Readonly<Record<string, Rule>> = {
  accepted: boolean,
  after: anyOf(isNull, isMap, text(0, 512)),
  again: boolean,
  all: list(32),
  applied: boolean,
  assignments: list(16_384),
  attempt: count,
  authToken: text(0, 8_192),
  backup: count,
  backupNodeIds: list(64),
  baseVersion: count,
  buckets: anyOf(isNull, bytes(2_048, 2_048), list(256)),
  bytes: anyOf(isNull, count),
  calls: list(1_000),
  chunk: list(4_096),
  clientId: writer,
  replica: writer,
  clientPort: count,
  cluster: sender,
  clusterId: sender,
  clusterPort: count,
  clusterTimeMs: moment,
  command: bytes(0, 262_144),
  commandId: anyOf(isNull, text(1, 128)),
  expectedVersion: anyOf(isNull, count),
  via: list(5),
  collect: list(32_768),
  sole: boolean,
  repair: anyOf(isNull, isMap),
  repairId: count,
  figures: isMap,
  compared: count,
  differing: count,
  rowsSent: count,
  rowsTaken: count,
  nodesDone: count,
  nodesAsked: count,
  toCompare: count,
  finishedAtMs: anyOf(isNull, moment),
  code: matching(/^[A-Z_]+$/),
  completed: count,
  completedMigrations: list(32_768),
  copies: list(64),
  count: integer(1, 100),
  counter: integer(0, 65_535),
  creditBytes: count,
  creditFrames: count,
  creditOps: count,
  data: isMap,
  deltas: list(32_768),
  destinationNodeId: node,
  digest: anyOf(isNull, matching(/^([0-9a-f]{16})?$/)),
  digestKey: isMap,
  done: boolean,
  dormant: boolean,
  durationMs: anyOf(isNull, count),
  endpoints: isMap,
  entries: list(1_000),
  epoch: count,
  complainerId: node,
  complainerViewVersion: count,
  suspectId: node,
  suspectViewVersion: count,
  masterViewVersion: count,
  force: boolean,
  beat: count,
  error: isMap,
  exceptions: list(1_000),
  expiresAt: anyOf(isNull, moment),
  failed: count,
  finished: list(32_768),
  forward: boolean,
  forwardId: count,
  from: anyOf(sender, count),
  fromView: count,
  generatedAt: moment,
  host: text(0, 128),
  importing: list(16_384),
  incarnation: count,
  index: integer(0, 999),
  indexes: list(1_000),
  joinVersion: count,
  key: text(0, 512),
  keys: list(1_000),
  kind: oneOf("lww", "or", "pn", "event", "snapshot"),
  leading: boolean,
  limit: integer(1, 1_000),
  map: anyOf(text(1, 128), isMap),
  mapVersion: count,
  marker: boolean,
  markerN: count,
  masterNodeId: anyOf(isNull, node),
  members: list(1_000),
  membersView: isMap,
  membersViewVersion: count,
  message: anyOf(isMap, text(0, 16_384)),
  migrating: list(16_384),
  migrationId: anyOf(isNull, text(1, 128)),
  migrations: isMap,
  millis: moment,
  n: count,
  newOwner: node,
  next: count,
  node: writer,
  nodeId: node,
  nodes: list(1_000),
  notOwned: list(16_384),
  nowMs: moment,
  offerId: count,
  openedSeq: count,
  ops: list(1_000),
  opsPerSecond: (value) => typeof value === "number" && value >= 0 && Number.isFinite(value),
  outcome: oneOf(null, "completed", "cancelled", "failed"),
  owned: count,
  owner: anyOf(isNull, node),
  ownerNodeId: anyOf(isNull, node),
  owners: list(1_000),
  pages: list(16_384),
  partitionAssignments: list(16_384),
  partitionCount: integer(1, 16_384),
  partitionId: partition,
  targetPartitionId: partition,
  partitionIds: list(16_384),
  partitions: list(16_384),
  ceded: isMap,
  into: sender,
  left: anyOf(isNull, count),
  loser: sender,
  merge: isMap,
  over: boolean,
  phase: oneOf("queued", "replicating", "finalizing", "completed", "failed"),
  receiverClusterId: sender,
  responderClusterId: sender,
  responderMasterId: anyOf(isNull, node),
  responderMasterJoinVersion: anyOf(isNull, count),
  responderMemberCount: count,
  responderViewVersion: count,
  senderClusterId: sender,
  senderMasterId: anyOf(isNull, node),
  senderMasterJoinVersion: anyOf(isNull, count),
  senderMemberCount: count,
  senderViewVersion: count,
  sourceClusterId: sender,
  sourceMembers: list(1_000),
  sourceViewVersion: count,
  taken: list(64),
  draining: list(1_000),
  takesIn: oneOf(true),
  winner: sender,
  plan: list(32_768),
  prefix: text(0, 512),
  positions: list(16_384),
  parts: list(16_384),
  position: anyOf(isNull, isMap),
  replaces: anyOf(isNull, isMap),
  query: isMap,
  filter: isMap,
  op: oneOf("eq", "ne", "lt", "le", "gt", "ge", "in", "prefix", "and", "or", "not"),
  field: text(0, 128),
  reads: list(16_384),
  want: isMap,
  which: list(1_024),
  salt: isMap,
  listens: boolean,
  unwanted: list(16_384),
  id: count,
  fetchId: count,
  stale: boolean,
  mapName: text(1, 128),
  protocolVersion: count,
  quorum: anyOf(isNull, boolean),
  queued: anyOf(count, list(32_768)),
  reason: anyOf(isNull, text(0, 1_024)),
  received: count,
  region: text(0, 64),
  removedNodeIds: list(4_096),
  rejectReason: matching(/^[A-Z_]+$/),
  replies: list(1_000),
  result: isMap,
  results: list(1_000),
  retry: oneOf("never", "later", "there"),
  role: oneOf("none", "owner", "copy", "struck"),
  rows: anyOf(isNull, count, list(4_096)),
  rowsWritten: count,
  ruling: isMap,
  running: anyOf(count, list(32_768)),
  senderId: node,
  seq: anyOf(isNull, count),
  source: node,
  sourceNodeId: sender,
  since: count,
  sourceVersion: count,
  stamp: anyOf(isNull, isMap),
  startedAtMs: anyOf(isNull, moment),
  ack: oneOf("owner", "backup"),
  purpose: oneOf("move", "backup"),
  state: oneOf("joining", "active", "suspect", "leaving", "dead", "removed", "copying", "complete"),
  status: oneOf("opened", "unknown", "busy", "JOINING", "ACTIVE", "SUSPECTED", "LEAVING", "FAILED"),
  streamId: count,
  sub: text(0, 256),
  inc: count,
  dec: count,
  tags: anyOf(isNull, list(1_000)),
  suspectedNodes: list(1_000),
  tableVersion: count,
  tail: count,
  target: node,
  rulings: list(16_384),
  term: count,
  timestampMs: moment,
  to: anyOf(node, count),
  together: boolean,
  toView: count,
  type: text(1, 32),
  value: anyOf(isNull, bytes(0, 262_144)),
  values: list(1_000),
  version: count,
  view: isMap,
  viewVersion: count,
  websocket: text(0, 2_048),
  weight: integer(0, 100),
  whole: boolean,
};

const filterValue: Rule = (value) =>
  value === null || ["number", "boolean"].includes(typeof value) || text(0, 512)(value);

/** Rules of fields whose name means something else there, by the name of what holds them. */
const RULES_WITHIN: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  merge: { phase: oneOf("asking", "ceding", "merged", "failed") },
  salt: { a: integer(0, 2 ** 32 - 1), b: integer(0, 2 ** 32 - 1) },
  pages: { digest: bytes(6, 6_144) },
  parts: { buckets: bytes(6, 6_144) },
  want: { count: integer(1, 1_024) },
  replaces: { count: integer(1, 1_024) },
  filter: { value: filterValue, values: list(32) },
  all: { value: filterValue, values: list(32) },
  digestKey: { a: integer(0, 2 ** 32 - 1), b: integer(0, 2 ** 32 - 1) },
};

/** Rules of the items of a list. */
const ITEMS: Readonly<Record<string, Rule>> = {
  backupNodeIds: node,
  buckets: integer(0, 255),
  completedMigrations: text(1, 128),
  importing: partition,
  indexes: integer(0, 999),
  migrating: partition,
  partitionIds: partition,
  removedNodeIds: node,
  suspectedNodes: node,
  taken: sender,
  draining: node,
  values: (value) => isMap(value) || filterValue(value),
  which: integer(0, 1_023),
};

const scalar: Rule = (value) =>
  value === null || ["number", "boolean"].includes(typeof value) || text(0, 1_024)(value);

/** Paths of everything in `value` that should not have got in. */
export function violations(value: unknown, path = "", holder = ""): string[] {
  if (value instanceof Uint8Array || typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown, i) => {
      const rule = ITEMS[holder];
      const wrong = rule ? !rule(item) : !isMap(item) && typeof item !== "string";
      return [...(wrong ? [`${path}[${i}]`] : []), ...violations(item, `${path}[${i}]`, holder)];
    });
  }
  return Object.entries(value).flatMap(([name, item]) => {
    const at = `${path}.${name}`;
    if (holder === "data") return scalar(item) ? [] : [at];
    const rule = RULES_WITHIN[holder]?.[name] ?? RULES[name];
    if (!rule) return [`${at} (nobody knows it)`];
    return [...(rule(item) ? [] : [at]), ...violations(item, at, name)];
  });
}
