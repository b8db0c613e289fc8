/**
 * Every error that leaves Godwit: code -> HTTP status, retry policy, data, message. Callers decide
 * by `retry` (never · later: the same again after a pause · there: at the owner named), never by text.
 */
import { utf8Length } from "../data/text.ts";
import { ERROR_TEXT_BYTES_MAX } from "./limits.ts";

type RetryPolicy = "never" | "later" | "there";

export interface ErrorData {
  UNKNOWN_MESSAGE: { type: string };
  MALFORMED: { field: string; expected: string };
  FRAME_TOO_LARGE: { bytes: number; bytesMax: number };
  TOO_MANY_OPS: { ops: number; opsMax: number };
  /** `value` is the number itself, or the size of a text (bytes), of bytes or of a list. */
  OUT_OF_BOUNDS: {
    field: string;
    value: number;
    min: number;
    max: number;
    unit?: "bytes" | "items";
  };
  BAD_TEXT: { field: string; expected: string };
  BAD_JSON: { reason: string };
  BAD_CURSOR: { field: string };
  CLOCK_DRIFT: { aheadMs: number; aheadMsMax: number };
  STAMP_TOO_OLD: { ageMs: number; ageMsMax: number };
  CREDIT_EXCEEDED: { field: string; value: number; max: number };
  HELLO_EXPECTED: { got: string };
  WRONG_CLUSTER_ID: { expected: string; got: string };
  PROTOCOL_VERSION_MISMATCH: { expected: number; got: number };
  STALE_TERM: { term: number };
  NO_QUORUM: { answered: number; needed: number };
  NOT_A_MEMBER: { nodeId: string };
  NODE_NOT_FOUND: { nodeId: string };
  NODE_ID_USED: { nodeId: string };
  NODE_NOT_ACTIVE: { nodeId: string; state: string };
  CLUSTER_FULL: { nodesMax: number };
  CLUSTER_FORMING: { active: number; wanted: number };
  LAST_NODE: { nodeId: string };
  CLUSTER_NOT_FOUND: { clusterId: string };
  CLUSTER_UNREACHABLE: { clusterId: string };
  CLUSTER_MERGED: { clusterId: string; into: string };
  MERGE_WITH_ITSELF: { clusterId: string };
  MERGE_IN_PROGRESS: { clusterId: string; other: string };
  PARTITION_COUNTS_DIFFER: { clusterId: string; partitionCount: number; other: number };
  PARTITION_LOST: { partitionId: number };
  STALE_EPOCH: { partitionId: number; epoch: number };
  PARTITION_NOT_FOUND: { partitionId: number; partitionCount: number };
  MIGRATION_IN_PROGRESS: { partitionId: number };
  MIGRATION_NOT_FOUND: { partitionId: number };
  MIGRATION_DECIDED: { partitionId: number };
  ALREADY_OWNER: { partitionId: number; nodeId: string };
  NOT_OWNER: { partitionId: number; ownerNodeId: string | null };
  OWNER_UNREACHABLE: { partitionId: number };
  NO_BACKUP: { partitionId: number };
  OVERLOADED: { field: string; value: number; max: number };
  KEY_NOT_FOUND: { map: string; key: string };
  ROUTE_NOT_FOUND: { path: string };
  METHOD_NOT_ALLOWED: { method: string; allowed: string };
  INSECURE: { host: string };
  INTERNAL: { reason: string };
}

export type ErrorCode = keyof ErrorData;

/** As it travels: the code's data beside the three fixed fields. */
export interface ErrorInfo {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retry: RetryPolicy;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface ErrorRule<Code extends ErrorCode = ErrorCode> {
  /** Of an HTTP answer. */
  readonly status: number;
  readonly retry: RetryPolicy;
  readonly message: (data: ErrorData[Code]) => string;
}

export const ERRORS: { readonly [Code in ErrorCode]: ErrorRule<Code> } = {
  UNKNOWN_MESSAGE: rule(
    400,
    "never",
    ({ type }) => `there is no message of type ${JSON.stringify(type)}`,
  ),
  MALFORMED: rule(400, "never", ({ field, expected }) => `${field} must be ${expected}`),
  FRAME_TOO_LARGE: rule(
    413,
    "never",
    ({ bytes, bytesMax }) => `${bytes} bytes, at most ${bytesMax} are taken at once`,
  ),
  TOO_MANY_OPS: rule(
    413,
    "never",
    ({ ops, opsMax }) => `${ops} operations, at most ${opsMax} are taken at once`,
  ),
  OUT_OF_BOUNDS: rule(422, "never", outOfBounds),
  BAD_TEXT: rule(400, "never", ({ field, expected }) => `${field} must be ${expected}`),
  BAD_JSON: rule(400, "never", ({ reason }) => `the body is not JSON: ${reason}`),
  BAD_CURSOR: rule(400, "never", ({ field }) => `${field} is not a cursor from an earlier answer`),
  CLOCK_DRIFT: rule(
    422,
    "never",
    ({ aheadMs, aheadMsMax }) =>
      `the stamp is ${aheadMs} ms ahead, at most ${aheadMsMax} are taken: correct the clock`,
  ),
  STAMP_TOO_OLD: rule(
    409,
    "never",
    ({ ageMs, ageMsMax }) =>
      `the stamp is ${ageMs} ms old, at most ${ageMsMax} are taken: read again`,
  ),
  CREDIT_EXCEEDED: rule(
    429,
    "later",
    ({ field, value, max }) => `${value} ${field} unanswered, at most ${max} may be`,
  ),
  HELLO_EXPECTED: rule(400, "never", ({ got }) => `the first frame must be HELLO, it was ${got}`),
  WRONG_CLUSTER_ID: rule(
    409,
    "never",
    ({ expected, got }) => `this is cluster ${expected}, not ${got}`,
  ),
  PROTOCOL_VERSION_MISMATCH: rule(
    400,
    "never",
    ({ expected, got }) => `protocol version ${got} is not spoken here, ${expected} is`,
  ),
  STALE_TERM: rule(503, "later", ({ term }) => `a newer coordinator reigns, in term ${term}`),
  NO_QUORUM: rule(
    503,
    "later",
    ({ answered, needed }) =>
      `${answered} of the ${needed} voters that it takes have answered the coordinator`,
  ),
  NOT_A_MEMBER: rule(503, "later", ({ nodeId }) => `${nodeId} is not a member of the cluster`),
  NODE_NOT_FOUND: rule(404, "never", ({ nodeId }) => `there is no node ${nodeId}`),
  NODE_ID_USED: rule(409, "never", ({ nodeId }) => `the name ${nodeId} has been used`),
  NODE_NOT_ACTIVE: rule(409, "later", ({ nodeId, state }) => `${nodeId} is ${state}, not active`),
  CLUSTER_FULL: rule(409, "never", ({ nodesMax }) => `the cluster has its ${nodesMax} nodes`),
  CLUSTER_FORMING: rule(
    503,
    "later",
    ({ active, wanted }) => `the cluster forms: ${active} of ${wanted} nodes are active`,
  ),
  LAST_NODE: rule(409, "never", ({ nodeId }) => `${nodeId} is the last active node`),
  CLUSTER_NOT_FOUND: rule(
    404,
    "never",
    ({ clusterId }) => `nobody has ever asked for a cluster ${clusterId}`,
  ),
  CLUSTER_UNREACHABLE: rule(
    503,
    "later",
    ({ clusterId }) => `the coordinator of ${clusterId} does not answer`,
  ),
  CLUSTER_MERGED: rule(
    421,
    "there",
    ({ clusterId, into }) => `${clusterId} is a part of ${into} by now`,
  ),
  MERGE_WITH_ITSELF: rule(409, "never", ({ clusterId }) => `${clusterId} is this cluster itself`),
  MERGE_IN_PROGRESS: rule(
    409,
    "later",
    ({ clusterId, other }) => `${clusterId} is being merged with ${other}`,
  ),
  PARTITION_COUNTS_DIFFER: rule(
    409,
    "never",
    ({ clusterId, partitionCount, other }) =>
      `${clusterId} has ${partitionCount} partitions, the other cluster has ${other}`,
  ),
  PARTITION_LOST: rule(
    503,
    "later",
    ({ partitionId }) => `the owner of partition ${partitionId} is lost, and nobody has all of it`,
  ),
  STALE_EPOCH: rule(
    409,
    "never",
    ({ partitionId, epoch }) => `partition ${partitionId} is at epoch ${epoch} by now`,
  ),
  PARTITION_NOT_FOUND: rule(
    404,
    "never",
    ({ partitionId, partitionCount }) =>
      `partition ${partitionId} is none of 0 to ${partitionCount - 1}`,
  ),
  MIGRATION_IN_PROGRESS: rule(
    409,
    "later",
    ({ partitionId }) => `partition ${partitionId} is being moved`,
  ),
  MIGRATION_NOT_FOUND: rule(
    404,
    "never",
    ({ partitionId }) => `partition ${partitionId} is not being moved`,
  ),
  MIGRATION_DECIDED: rule(
    409,
    "never",
    ({ partitionId }) => `partition ${partitionId} has its new owner, the move cannot be cancelled`,
  ),
  ALREADY_OWNER: rule(
    409,
    "never",
    ({ partitionId, nodeId }) => `${nodeId} owns partition ${partitionId} already`,
  ),
  NOT_OWNER: rule(
    421,
    "there",
    ({ partitionId, ownerNodeId }) =>
      `partition ${partitionId} belongs to ${ownerNodeId ?? "nobody yet"}`,
  ),
  OWNER_UNREACHABLE: rule(
    503,
    "later",
    ({ partitionId }) => `the owner of partition ${partitionId} does not answer`,
  ),
  NO_BACKUP: rule(
    503,
    "later",
    ({ partitionId }) => `partition ${partitionId} has no complete copy beside its owner`,
  ),
  OVERLOADED: rule(
    503,
    "later",
    ({ field, value, max }) => `${value} ${field} are waiting, at most ${max} may`,
  ),
  KEY_NOT_FOUND: rule(
    404,
    "never",
    ({ map, key }) => `there is no ${JSON.stringify(key)} in ${JSON.stringify(map)}`,
  ),
  ROUTE_NOT_FOUND: rule(404, "never", ({ path }) => `there is nothing at ${path}`),
  METHOD_NOT_ALLOWED: rule(
    405,
    "never",
    ({ method, allowed }) => `${method} is not allowed here, ${allowed} is`,
  ),
  INSECURE: rule(
    503,
    "never",
    ({ host }) => `without a secret only loopback is served, not ${host}`,
  ),
  INTERNAL: rule(500, "later", ({ reason }) => `this should not have happened: ${reason}`),
};

/** Texts in `data` may come from anywhere: they are cut and mended, so that every error can travel. */
export function makeError<Code extends ErrorCode>(code: Code, data: ErrorData[Code]): ErrorInfo {
  const { retry, message } = ERRORS[code];
  const clipped: ErrorData[Code] = { ...data };
  for (const field in clipped) {
    const value = clipped[field];
    if (typeof value === "string") Object.assign(clipped, { [field]: clip(value) });
  }
  return { code, message: message(clipped), retry, data: clipped };
}

function rule<Code extends ErrorCode>(
  status: number,
  retry: RetryPolicy,
  message: (data: ErrorData[Code]) => string,
): ErrorRule<Code> {
  return { status, retry, message };
}

function outOfBounds({ field, value, min, max, unit }: ErrorData["OUT_OF_BOUNDS"]): string {
  const size = unit === undefined ? `${value}` : `${value} ${unit}`;
  if (max === Number.MAX_SAFE_INTEGER) return `${field} is ${size}, must be at least ${min}`;
  return `${field} is ${size}, must be ${min} to ${max}`;
}

function clip(text: string): string {
  if (utf8Length(text) <= ERROR_TEXT_BYTES_MAX) return text.toWellFormed();
  const unitsMax = Math.floor(ERROR_TEXT_BYTES_MAX / 3) - 1;
  return `${text.slice(0, unitsMax).toWellFormed()}…`;
}
