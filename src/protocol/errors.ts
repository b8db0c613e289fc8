/** Every error that leaves Godwit. Apart from those of the border, whose texts no browser need load. */
import { BORDER_ERRORS } from "./border-errors.ts";
import {
  errorBy,
  rule,
  type ErrorCode,
  type ErrorData,
  type ErrorInfo,
  type ErrorRules,
} from "./error-data.ts";

export type { ErrorCode, ErrorData, ErrorInfo } from "./error-data.ts";

export const ERRORS: ErrorRules<ErrorCode> = {
  ...BORDER_ERRORS,
  TOO_MANY_OPS: rule(
    413,
    "never",
    ({ ops, opsMax }) => `${ops} operations, at most ${opsMax} are taken at once`,
  ),
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
  /** Not a 5xx: many a caller sends again what was answered with one. */
  OUTCOME_UNKNOWN: rule(
    409,
    "never",
    ({ partitionId }) =>
      `the owner of partition ${partitionId} has not said whether it counted this: read before it is sent again`,
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
  ACTOR_UNKNOWN: rule(
    404,
    "never",
    ({ actorType }) => `no actor of the type ${JSON.stringify(actorType)} is defined`,
  ),
  ACTOR_BUSY: rule(
    503,
    "later",
    ({ actorType, actorId, value, max }) =>
      `${value} commands are waiting for ${actorType}/${actorId}, at most ${max} may`,
  ),
  ACTOR_FAILED: rule(
    500,
    "later",
    ({ actorType, actorId, reason }) => `${actorType}/${actorId} has failed: ${reason}`,
  ),
  ACTOR_CORRUPT: rule(
    500,
    "later",
    ({ actorType, actorId, sequence }) =>
      `entry ${sequence} of the journal of ${actorType}/${actorId} cannot be read`,
  ),
  ACTOR_INCOMPLETE: rule(
    503,
    "later",
    ({ actorType, actorId, sequence }) =>
      `entry ${sequence} of the journal of ${actorType}/${actorId} is not here`,
  ),
  ACTOR_TIMED_OUT: rule(
    503,
    "later",
    ({ actorType, actorId, ms }) => `${actorType}/${actorId} has not decided within ${ms} ms`,
  ),
  VERSION_CONFLICT: rule(
    409,
    "never",
    ({ actorType, actorId, attempted, current }) =>
      `${actorType}/${actorId} is at version ${current}, not ${attempted}`,
  ),
  COMMAND_REFUSED: rule(
    409,
    "never",
    ({ actorType, actorId, refusal, reason }) =>
      `${actorType}/${actorId} refuses: ${refusal}${reason && `, ${reason}`}`,
  ),
  CALL_CYCLE: rule(
    409,
    "never",
    ({ actorType, actorId, chain }) =>
      `${actorType}/${actorId} waits for this call already, which comes from ${chain}`,
  ),
  CALLS_TOO_DEEP: rule(
    409,
    "never",
    ({ field, value, max }) => `${value} actors wait for each other (${field}), at most ${max} may`,
  ),
  COMMAND_WITHOUT_ID: rule(
    400,
    "never",
    ({ actorType, actorId, events }) =>
      `a question to ${actorType}/${actorId} may leave no event, and this left ${events}`,
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

export const makeError = <Code extends ErrorCode>(code: Code, data: ErrorData[Code]): ErrorInfo =>
  errorBy(ERRORS[code], code, data);
