/**
 * What every error that leaves Godwit is made of: code -> HTTP status, retry policy, data, message. Callers decide
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
  OUTCOME_UNKNOWN: { partitionId: number };
  NO_BACKUP: { partitionId: number };
  OVERLOADED: { field: string; value: number; max: number };
  ACTOR_UNKNOWN: { actorType: string };
  ACTOR_BUSY: { actorType: string; actorId: string; value: number; max: number };
  ACTOR_FAILED: { actorType: string; actorId: string; reason: string };
  ACTOR_CORRUPT: { actorType: string; actorId: string; sequence: number };
  ACTOR_INCOMPLETE: { actorType: string; actorId: string; sequence: number };
  ACTOR_TIMED_OUT: { actorType: string; actorId: string; ms: number };
  VERSION_CONFLICT: { actorType: string; actorId: string; attempted: number; current: number };
  COMMAND_REFUSED: { actorType: string; actorId: string; refusal: string; reason: string };
  CALL_CYCLE: { actorType: string; actorId: string; chain: string };
  CALLS_TOO_DEEP: { field: string; value: number; max: number };
  COMMAND_WITHOUT_ID: { actorType: string; actorId: string; events: number };
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

export type ErrorRules<Code extends ErrorCode> = { readonly [Each in Code]: ErrorRule<Each> };

export function rule<Code extends ErrorCode>(
  status: number,
  retry: RetryPolicy,
  message: (data: ErrorData[Code]) => string,
): ErrorRule<Code> {
  return { status, retry, message };
}

/** Texts in `data` may come from anywhere: they are cut and mended, so that every error can travel. */
export function errorBy<Code extends ErrorCode>(
  { retry, message }: ErrorRule<Code>,
  code: Code,
  data: ErrorData[Code],
): ErrorInfo {
  const clipped: ErrorData[Code] = { ...data };
  for (const field in clipped) {
    const value = clipped[field];
    if (typeof value === "string") Object.assign(clipped, { [field]: clip(value) });
  }
  return { code, message: message(clipped), retry, data: clipped };
}

function clip(text: string): string {
  if (utf8Length(text) <= ERROR_TEXT_BYTES_MAX) return text.toWellFormed();
  const unitsMax = Math.floor(ERROR_TEXT_BYTES_MAX / 3) - 1;
  return `${text.slice(0, unitsMax).toWellFormed()}…`;
}
