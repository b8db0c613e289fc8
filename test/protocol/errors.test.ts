import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeServerMessage, encodeServerMessage } from "../../src/protocol/codec.ts";
import { ERRORS, makeError, type ErrorCode, type ErrorData } from "../../src/protocol/errors.ts";

/** Data whose every part can be recognised in the message. */
const DATA: ErrorData = {
  UNKNOWN_MESSAGE: { type: "NEWS" },
  MALFORMED: { field: "ops[3]", expected: "a list" },
  FRAME_TOO_LARGE: { bytes: 2_097_152, bytesMax: 1_048_576 },
  TOO_MANY_OPS: { ops: 1_001, opsMax: 1_000 },
  OUT_OF_BOUNDS: { field: "ops[3].key", value: 513, min: 0, max: 512, unit: "bytes" },
  BAD_TEXT: { field: "ops[3].key", expected: "UTF-8" },
  BAD_JSON: { reason: "ended early" },
  BAD_CURSOR: { field: "cursor" },
  CLOCK_DRIFT: { aheadMs: 61_000, aheadMsMax: 60_000 },
  STAMP_TOO_OLD: { ageMs: 86_400_001, ageMsMax: 86_400_000 },
  CREDIT_EXCEEDED: { field: "frames", value: 65, max: 64 },
  HELLO_EXPECTED: { got: "OPS" },
  WRONG_CLUSTER_ID: { expected: "main", got: "other" },
  PROTOCOL_VERSION_MISMATCH: { expected: 1, got: 2 },
  STALE_TERM: { term: 12 },
  NO_QUORUM: { answered: 1, needed: 2 },
  NOT_A_MEMBER: { nodeId: "n9" },
  NODE_NOT_FOUND: { nodeId: "n9" },
  NODE_ID_USED: { nodeId: "n9" },
  NODE_NOT_ACTIVE: { nodeId: "n9", state: "leaving" },
  CLUSTER_FULL: { nodesMax: 1_000 },
  CLUSTER_FORMING: { active: 1, wanted: 3 },
  LAST_NODE: { nodeId: "n9" },
  CLUSTER_NOT_FOUND: { clusterId: "west" },
  CLUSTER_UNREACHABLE: { clusterId: "west" },
  CLUSTER_MERGED: { clusterId: "west", into: "east" },
  MERGE_WITH_ITSELF: { clusterId: "west" },
  MERGE_IN_PROGRESS: { clusterId: "west", other: "east" },
  PARTITION_COUNTS_DIFFER: { clusterId: "west", partitionCount: 271, other: 64 },
  PARTITION_LOST: { partitionId: 1 },
  STALE_EPOCH: { partitionId: 1, epoch: 9 },
  PARTITION_NOT_FOUND: { partitionId: 272, partitionCount: 272 },
  MIGRATION_IN_PROGRESS: { partitionId: 17 },
  MIGRATION_NOT_FOUND: { partitionId: 17 },
  MIGRATION_DECIDED: { partitionId: 17 },
  ALREADY_OWNER: { partitionId: 17, nodeId: "n9" },
  NOT_OWNER: { partitionId: 17, ownerNodeId: "n9" },
  OWNER_UNREACHABLE: { partitionId: 17 },
  OUTCOME_UNKNOWN: { partitionId: 17 },
  NO_BACKUP: { partitionId: 17 },
  OVERLOADED: { field: "operations", value: 9, max: 8 },
  ACTOR_UNKNOWN: { actorType: "account" },
  ACTOR_BUSY: { actorType: "account", actorId: "ann", value: 257, max: 256 },
  ACTOR_FAILED: { actorType: "account", actorId: "ann", reason: "a bug" },
  ACTOR_CORRUPT: { actorType: "account", actorId: "ann", sequence: 17 },
  ACTOR_INCOMPLETE: { actorType: "account", actorId: "ann", sequence: 17 },
  ACTOR_TIMED_OUT: { actorType: "account", actorId: "ann", ms: 10_000 },
  VERSION_CONFLICT: { actorType: "account", actorId: "ann", attempted: 17, current: 19 },
  COMMAND_REFUSED: { actorType: "account", actorId: "ann", refusal: "poor", reason: "has 3" },
  CALL_CYCLE: { actorType: "account", actorId: "ann", chain: "account/ann, bank/main" },
  CALLS_TOO_DEEP: { field: "via", value: 6, max: 5 },
  COMMAND_WITHOUT_ID: { actorType: "account", actorId: "ann", events: 2 },
  KEY_NOT_FOUND: { map: "users", key: "user:1" },
  ROUTE_NOT_FOUND: { path: "/v2" },
  METHOD_NOT_ALLOWED: { method: "PATCH", allowed: "GET" },
  INSECURE: { host: "example.com" },
  INTERNAL: { reason: "a bug" },
};

const CODES = Object.keys(ERRORS) as ErrorCode[];

const errorOf = (code: ErrorCode) => makeError(code, DATA[code]);

describe.each(CODES)("%s", (code) => {
  it("names its data in words", () => {
    const { message } = errorOf(code);
    const forgotten = Object.entries(DATA[code])
      .filter(([name]) => !(code === "PARTITION_NOT_FOUND" && name === "partitionCount"))
      .filter(([, value]) => !message.includes(String(value)));
    expect(forgotten).toEqual([]);
  });

  it("has a status that fits its retry policy", () => {
    const { status, retry } = ERRORS[code];
    expect(status >= 400 && status <= 599).toBe(true);
    if (retry === "there") expect(status).toBe(421);
    if (retry === "later") expect([409, 429, 500, 503]).toContain(status);
    if (retry === "never" && code !== "INSECURE") expect(status).toBeLessThan(500);
  });

  it("travels", () => {
    const sent = { type: "ERROR", seq: 1, error: errorOf(code) } as const;
    expect(decodeServerMessage(encodeServerMessage(sent))).toStrictEqual({ ok: true, value: sent });
  });

  it("stands in the README with its status and retry", () => {
    const readme = readFileSync("src/protocol/README.md", "utf8");
    const { status, retry } = ERRORS[code];
    const fields = Object.keys(DATA[code])
      .map((name) => `\`${name}\``)
      .join(", ");
    expect(readme.replaceAll(/ +/g, " ")).toContain(
      `| \`${code}\` | ${status} | ${retry} | ${fields} |`,
    );
  });
});

it("whatever text gets into an error, the error can travel and stays short", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(fc.nat(0xffff), { maxLength: 9 }).map((units) => String.fromCharCode(...units)),
    fc.constantFrom(
      "k".repeat(5_000),
      "\ud800".repeat(2_000),
      "😀".repeat(400),
      "\0".repeat(1_024),
    ),
  );
  fc.assert(
    fc.property(text, text, (map, key) => {
      const error = makeError("KEY_NOT_FOUND", { map, key });
      const sent = { type: "ERROR", seq: null, error } as const;
      expect(decodeServerMessage(encodeServerMessage(sent))).toStrictEqual({
        ok: true,
        value: sent,
      });
    }),
  );
});

it("keeps data that needs no mending as it is", () => {
  const key = "😀".repeat(128);
  expect(makeError("KEY_NOT_FOUND", { map: "m", key }).data).toEqual({ map: "m", key });
});

it("the owner of a partition that has none", () => {
  const { message, data } = makeError("NOT_OWNER", { partitionId: 17, ownerNodeId: null });
  expect(message).toBe("partition 17 belongs to nobody yet");
  expect(data).toEqual({ partitionId: 17, ownerNodeId: null });
});
