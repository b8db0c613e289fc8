/** What may be said: parts of messages inside every bound, often at one. */
import fc from "fast-check";
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
import { EXPIRES_AT_MAX, STAMP_MILLIS_MAX } from "../../src/data/limits.ts";
import type { MembersView } from "../../src/data/members.ts";
import { countSub, encodeTotal } from "../../src/data/count.ts";
import { COUNT_STAMP } from "../../src/data/count-stamp.ts";
import { elementSub } from "../../src/data/element.ts";
import { identityOf, type Row } from "../../src/data/row.ts";
import { sequenceSub } from "../../src/data/sequence.ts";
import type { Ruling } from "../../src/data/ruling.ts";
import { ERRORS, makeError, type ErrorCode, type ErrorInfo } from "../../src/protocol/errors.ts";
import type {
  CallResult,
  ClientCall,
  ClientOp,
  ClientQuestion,
} from "../../src/protocol/client-messages.ts";
import type { Op, OpResult, ReadResult } from "../../src/protocol/ops.ts";
import {
  COMMAND_ID_BYTES_MAX,
  ENTRIES_MAX,
  KEY_BYTES_MAX,
  MAP_NAME_BYTES_MAX,
  MEMBERS_MAX,
  PARTITION_COUNT_MAX,
} from "../../src/protocol/limits.ts";
import { stamp, wellFormedText } from "../data/arbitraries.ts";

export const count: fc.Arbitrary<number> = fc.oneof(
  fc.nat(300),
  fc.maxSafeNat(),
  fc.constantFrom(
    0,
    127,
    128,
    255,
    256,
    65_535,
    65_536,
    2 ** 32 - 1,
    2 ** 32,
    Number.MAX_SAFE_INTEGER,
  ),
);

const oneOf = (characters: string): fc.Arbitrary<string> =>
  fc.constantFrom(...characters.split(""));

const name = fc.string({ unit: oneOf("az019-"), minLength: 1, maxLength: 32 });
export const nodeId = name.map(NodeId);
export const clusterId = name.map(ClusterId);
export const clientId = fc.string({
  unit: oneOf("azAZ019._-"),
  minLength: 1,
  maxLength: 64,
});
export const migrationId = fc.oneof(name, fc.constant("x".repeat(128))).map(MigrationId);
export const partitionId = fc.nat(PARTITION_COUNT_MAX - 1).map(PartitionId);
export const partitionCount = fc.integer({ min: 1, max: PARTITION_COUNT_MAX });
export const epoch = count.map(Epoch);
export const term = count.map(Term);
export const seq = count.map(Seq);
export const version = count.map(Version);
export const incarnation = count.map(Incarnation);
export const moment = fc.integer({ min: 0, max: STAMP_MILLIS_MAX });
export const digest = fc.string({
  unit: oneOf("0123456789abcdef"),
  minLength: 16,
  maxLength: 16,
});
export const shortText = wellFormedText;

export const list = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(item, { maxLength: 4 });

// ------------------------------------------------------------------ entries

export const map = fc.oneof(
  fc.constantFrom(
    "users",
    "__proto__",
    "constructor",
    "m".repeat(MAP_NAME_BYTES_MAX),
    "😀".repeat(32),
  ),
  wellFormedText.filter((text) => text !== ""),
);
export const key = fc.oneof(
  fc.constantFrom(
    "",
    "__proto__",
    "a_b/c:{d}",
    "\ufeff".repeat(80),
    "k".repeat(KEY_BYTES_MAX),
    "é".repeat(256),
  ),
  wellFormedText,
);
const value = fc.option(
  fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.constantFrom(255, 256, 65_536).map((length) => new Uint8Array(length)),
  ),
);
const expiresAt = fc.option(fc.integer({ min: 0, max: EXPIRES_AT_MAX }));

const entry = { map, key, value, expiresAt };

const element = fc.uint8Array({ maxLength: 40 });
/** Of the entries of a journal. */
export const sequence = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.constantFrom(99_999, 100_000, 10 ** 12 - 1),
);
export const commandId = fc.oneof(
  fc.constantFrom("c", "__proto__", "é".repeat(COMMAND_ID_BYTES_MAX / 2)),
  wellFormedText.filter((text) => text !== ""),
);
const replica = fc.oneof(clientId, fc.constant("main/n1.1.7"));

const entryRow = fc.record({
  ...entry,
  kind: fc.constant("lww" as const),
  sub: fc.constant(""),
  stamp,
});
const addRow = fc
  .record({ map, key, element, tag: stamp, stamp, isGone: fc.boolean(), expiresAt })
  .map(({ map: m, key: k, element: bytes, tag, stamp: s, isGone, expiresAt: e }): Row => {
    const sub = elementSub(bytes, tag);
    return {
      map: m,
      key: k,
      kind: "or",
      sub,
      stamp: s,
      value: isGone ? null : bytes,
      expiresAt: e,
    };
  });
const totalRow = fc
  .record({ map, key, replica, side: fc.constantFrom("inc" as const, "dec" as const), count })
  .map(({ map: m, key: k, replica: r, side, count: n }): Row => {
    const total = { value: encodeTotal(n), expiresAt: null, stamp: COUNT_STAMP };
    return { map: m, key: k, ...total, kind: "pn", sub: countSub(r, side) };
  });

/** Stamped with an epoch, or with the number of the last entry in it. */
const journalRow = fc
  .record({
    map,
    key,
    millis: moment,
    node: clientId,
    value: element,
    sequence: fc.option(sequence),
  })
  .map(({ map: m, key: k, millis, node, value: bytes, sequence: n }): Row => {
    const rest = { stamp: { millis, counter: 0, node }, value: bytes, expiresAt: null };
    if (n === null) return { map: m, key: k, kind: "snapshot", sub: "", ...rest };
    return { map: m, key: k, kind: "event", sub: sequenceSub(n), ...rest };
  });

export const row: fc.Arbitrary<Row> = fc.oneof(entryRow, addRow, totalRow, journalRow);
export const identity = row.map(identityOf);

const of = { map, key };
const hash = fc.option(fc.constant("0123456789abcdef"));
const setMembers = fc.record({
  type: fc.constant("members" as const),
  ...of,
  after: hash,
  limit: fc.integer({ min: 1, max: MEMBERS_MAX }),
});
const total = fc.record({ type: fc.constant("total" as const), ...of });
const tags = fc.option(list(stamp));

export const clientOp: fc.Arbitrary<ClientOp> = fc.oneof(
  fc.record({ ...entry, stamp }),
  fc.record({ type: fc.constant("add" as const), ...of, stamp, value: element, expiresAt }),
  fc.record({ type: fc.constant("remove" as const), ...of, stamp, value: element, tags }),
  fc.record(
    { type: fc.constant("count" as const), ...of, inc: count, dec: count, replica: clientId },
    { requiredKeys: ["type", "map", "key", "inc", "dec"] },
  ),
);
export const clientCall: fc.Arbitrary<ClientCall> = fc.record({
  ...of,
  commandId: fc.option(fc.string({ minLength: 1, maxLength: 40 })),
  expectedVersion: fc.option(count),
  command: element,
});

export const question: fc.Arbitrary<ClientQuestion> = fc.oneof(fc.record(of), setMembers, total);

const merge = fc
  .record({ ...of, rows: list(fc.oneof(addRow, totalRow)) })
  .map(({ map: m, key: k, rows }): Op => {
    return { type: "merge", map: m, key: k, rows: rows.map((r) => ({ ...r, map: m, key: k })) };
  });
export const op: fc.Arbitrary<Op> = fc.oneof(
  fc.record({ type: fc.constant("read" as const), map, key }),
  fc.record({ type: fc.constant("write" as const), ...entry, stamp: fc.option(stamp) }),
  merge,
  setMembers,
  total,
  fc.record({ type: fc.constant("add" as const), ...of, value: element, expiresAt }),
  fc.record({
    type: fc.constant("remove" as const),
    ...of,
    stamp: fc.option(stamp),
    value: element,
  }),
  fc.record({ type: fc.constant("increment" as const), ...of, inc: count, dec: count }),
  fc.record(
    {
      type: fc.constant("call" as const),
      ...of,
      commandId: fc.option(commandId),
      expectedVersion: fc.option(count),
      command: element,
      via: fc.array(fc.record(of), { minLength: 1, maxLength: 5 }),
    },
    { requiredKeys: ["type", "map", "key", "commandId", "expectedVersion", "command"] },
  ),
  fc.record({
    type: fc.constant("events" as const),
    ...of,
    from: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    limit: fc.integer({ min: 1, max: ENTRIES_MAX }),
  }),
);

// ------------------------------------------------------------------ errors and results

const scalar = fc
  .oneof(fc.double({ noNaN: true }), fc.boolean(), fc.constant(null), wellFormedText)
  // The wire knows one zero: -0 travels as 0. (NaN would do, but no comparison of tests takes it.)
  .map((drawn) => (Object.is(drawn, -0) ? 0 : drawn));

export const errorInfo: fc.Arbitrary<ErrorInfo> = fc.oneof(
  fc.record({
    code: fc.constantFrom(...(Object.keys(ERRORS) as ErrorCode[])),
    message: wellFormedText,
    retry: fc.constantFrom("never" as const, "later" as const, "there" as const),
    data: fc
      .dictionary(fc.constantFrom("field", "value", "constructor"), scalar)
      .map((data) => ({ ...data })),
  }),
  key.map((text) => makeError("KEY_NOT_FOUND", { map: "users", key: text })),
);

export const refused = fc.record({ type: fc.constant("refused" as const), error: errorInfo });
export const superseded = fc.record({ type: fc.constant("superseded" as const), stamp });
export const opResult: fc.Arbitrary<OpResult> = fc.oneof(
  fc.record({ type: fc.constant("stored" as const), stamp }),
  superseded,
  refused,
);
export const callResult: fc.Arbitrary<CallResult> = fc.oneof(
  fc.record({ type: fc.constant("reply" as const), version: count, value: element }),
  refused,
);
export const readResult: fc.Arbitrary<ReadResult> = fc.oneof(
  fc.record({ type: fc.constant("value" as const), value, stamp: fc.option(stamp) }),
  fc.record({
    type: fc.constant("members" as const),
    members: list(fc.record({ value: element, tags: list(stamp) })),
    after: hash,
  }),
  fc.record({ type: fc.constant("total" as const), inc: count, dec: count }),
  fc.record({ type: fc.constant("reply" as const), version: count, value: element }),
  refused,
);

// ------------------------------------------------------------------ members and partitions

export const region = fc.constantFrom("", "weur", "apac-ne");
export const weight = fc.integer({ min: 0, max: 100 });
export const nodeState = fc.constantFrom(
  "joining" as const,
  "active" as const,
  "suspect" as const,
  "leaving" as const,
  "dead" as const,
  "removed" as const,
);
const member = fc.record({
  nodeId,
  host: fc.constantFrom("a".repeat(64), "h", ""),
  clientPort: fc.constant(0),
  clusterPort: fc.constant(0),
  region,
  weight,
  state: nodeState,
  joinVersion: version,
  incarnation,
});
export const members = list(member);
export const membersView: fc.Arbitrary<MembersView> = fc.record(
  { version, members, taken: list(clusterId), draining: list(nodeId) },
  { requiredKeys: ["version", "members"] },
);
export const ruling: fc.Arbitrary<Ruling> = fc.record({
  partitionId,
  epoch,
  owner: fc.option(nodeId),
  since: epoch,
  copies: list(
    fc.record({ nodeId, state: fc.constantFrom("copying" as const, "complete" as const) }),
  ),
});
export const mapNodes = list(
  fc.record({
    nodeId,
    endpoints: fc.record({ websocket: fc.constantFrom("", "/v1/ws?node=n1") }),
    status: fc.constantFrom(
      "JOINING" as const,
      "ACTIVE" as const,
      "SUSPECTED" as const,
      "LEAVING" as const,
      "FAILED" as const,
    ),
  }),
);
export const mapPartitions = list(
  fc.record({ partitionId, ownerNodeId: fc.option(nodeId), backupNodeIds: list(nodeId) }),
);
export const partitionMap = fc.record({
  version,
  viewVersion: version,
  partitionCount,
  nodes: mapNodes,
  partitions: mapPartitions,
  generatedAt: moment,
});

export const purpose = fc.constantFrom("move" as const, "backup" as const);
export const ack = fc.constantFrom("owner" as const, "backup" as const);

export const migrations = list(
  fc.record({
    migrationId: fc.option(migrationId),
    purpose,
    partitionId,
    source: nodeId,
    target: nodeId,
    epoch,
    phase: fc.constantFrom(
      "queued" as const,
      "replicating" as const,
      "finalizing" as const,
      "completed" as const,
      "failed" as const,
    ),
    attempt: count,
    startedAtMs: fc.option(moment),
    durationMs: fc.option(count),
    rows: fc.option(count),
    bytes: fc.option(count),
    digest: fc.option(fc.oneof(digest, fc.constant(""))),
    outcome: fc.option(
      fc.constantFrom("completed" as const, "cancelled" as const, "failed" as const),
    ),
    reason: fc.option(shortText),
  }),
);
