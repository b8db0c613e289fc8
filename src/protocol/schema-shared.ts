/** Schemas of what several messages carry. */
import * as v from "valibot";
import type { DigestKey } from "../data/digest.ts";
import type { MemberInfo, MembersView, PartitionMapPayload } from "../data/members.ts";
import type { Identity } from "../data/row.ts";
import type { Ruling } from "../data/ruling.ts";
import {
  integerProblem,
  keyProblem,
  kindProblem,
  malformed,
  mapProblem,
  subProblem,
  textProblem,
  within,
  type Problem,
} from "./checks.ts";
import { declared } from "./declared.ts";
import type { ErrorCode, ErrorInfo } from "./error-data.ts";
import {
  CLUSTERS_TAKEN_MAX,
  COPIES_MAX,
  ENDPOINT_BYTES_MAX,
  ERROR_FIELD_NAME_BYTES_MAX,
  ERROR_FIELDS_MAX,
  ERROR_MESSAGE_BYTES_MAX,
  ERROR_TEXT_BYTES_MAX,
  HOST_BYTES_MAX,
  NODES_MAX,
  PARTITION_COUNT_MAX,
  REGION_BYTES_MAX,
  WEIGHT_MAX,
} from "./limits.ts";
import { isFields } from "./reader.ts";
import {
  clusterId,
  count,
  epoch,
  incarnation,
  integer,
  leaf,
  list,
  moment,
  nodeId,
  partitionCount,
  partitionId,
  text,
  version,
} from "./schema.ts";

// ------------------------------------------------------------------ members

export const host = text(1, HOST_BYTES_MAX);
export const region = text(0, REGION_BYTES_MAX);

/** Of a member: 0 while it is being emptied. */
export const weight = integer(0, WEIGHT_MAX);

export const ackLevel = v.picklist(["owner", "backup"]);
export const movePurpose = v.picklist(["move", "backup"]);
export const nodeState = v.picklist(["joining", "active", "suspect", "leaving", "dead", "removed"]);

const member = declared<MemberInfo>()(
  v.object({
    nodeId,
    host: text(0, HOST_BYTES_MAX),
    clientPort: count(),
    clusterPort: count(),
    region,
    weight,
    state: nodeState,
    joinVersion: version,
    incarnation,
  }),
);

export const members = list(member, NODES_MAX);
export const taken = list(clusterId, CLUSTERS_TAKEN_MAX);

export const membersView = declared<MembersView>()(
  v.object({
    version,
    members,
    taken: v.exactOptional(taken),
    draining: v.exactOptional(list(nodeId, NODES_MAX)),
  }),
);

// ------------------------------------------------------------------ partitions

export const ruling = declared<Ruling>()(
  v.object({
    partitionId,
    epoch,
    owner: v.nullable(nodeId),
    since: epoch,
    copies: list(v.object({ nodeId, state: v.picklist(["copying", "complete"]) }), COPIES_MAX),
    fresh: v.exactOptional(v.literal(true)),
  }),
);

export const rulings = list(ruling, PARTITION_COUNT_MAX);
export const partitionIds = list(partitionId, PARTITION_COUNT_MAX);
export const nodeIds = list(nodeId, NODES_MAX);

export const mapNodes = list(
  v.object({
    nodeId,
    endpoints: v.object({ websocket: text(0, ENDPOINT_BYTES_MAX) }),
    status: v.picklist(["JOINING", "ACTIVE", "SUSPECTED", "LEAVING", "FAILED"]),
  }),
  NODES_MAX,
);

export const mapPartitions = list(
  v.object({
    partitionId,
    ownerNodeId: v.nullable(nodeId),
    backupNodeIds: list(nodeId, COPIES_MAX),
  }),
  PARTITION_COUNT_MAX,
);

export const partitionMap = declared<PartitionMapPayload>()(
  v.object({
    version,
    viewVersion: version,
    partitionCount,
    nodes: mapNodes,
    partitions: mapPartitions,
    generatedAt: moment,
  }),
);

export const digestKey = declared<DigestKey>()(
  v.object({ a: integer(0, 2 ** 32 - 1), b: integer(0, 2 ** 32 - 1) }),
);

// ------------------------------------------------------------------ entries

export const mapName = leaf<string>("name of a map", mapProblem);
export const key = leaf<string>("key", keyProblem);

export const identity = declared<Identity>()(
  v.object({
    map: mapName,
    key,
    kind: leaf<Identity["kind"]>("kind of row", kindProblem),
    sub: leaf<string>("sub of a row", subProblem),
  }),
);

// ------------------------------------------------------------------ errors

/** A newer one is passed on as it is: callers decide by `retry`. */
const CODE = /^[A-Z][A-Z_]{0,63}$/;

export const errorInfo = declared<ErrorInfo>()(
  v.object({
    code: leaf<ErrorCode>(`code of an error, ${CODE.source}`, codeProblem),
    message: text(0, ERROR_MESSAGE_BYTES_MAX),
    retry: v.picklist(["never", "later", "there"]),
    data: leaf<ErrorInfo["data"]>("texts, numbers, booleans and null by name", dataProblem),
  }),
);

function codeProblem(code: unknown): Problem | null {
  return typeof code === "string" && CODE.test(code) ? null : malformed("the code of an error");
}

function dataProblem(data: unknown): Problem | null {
  if (!isFields(data)) return malformed("a map");
  const entries = Object.entries(data);
  const tooMany = integerProblem(entries.length, 0, ERROR_FIELDS_MAX);
  if (tooMany) return within(tooMany, ".length");
  for (const [name, value] of entries) {
    const badName = textProblem(name, 1, ERROR_FIELD_NAME_BYTES_MAX);
    if (badName) return badName;
    const problem = scalarProblem(value);
    if (problem) return within(problem, `.${name}`);
  }
  return null;
}

function scalarProblem(value: unknown): Problem | null {
  if (value === null || typeof value === "number" || typeof value === "boolean") return null;
  return textProblem(value, 0, ERROR_TEXT_BYTES_MAX);
}
