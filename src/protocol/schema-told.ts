/** Schemas of what clients are told: maps of partitions, and errors. */
import * as v from "./shapes.ts";
import type { PartitionMapPayload } from "../data/members.ts";
import { integerProblem, malformed, textProblem, within, type Problem } from "./checks.ts";
import { declared } from "./declared.ts";
import type { ErrorCode, ErrorInfo } from "./error-data.ts";
import {
  COPIES_MAX,
  ENDPOINT_BYTES_MAX,
  ERROR_FIELD_NAME_BYTES_MAX,
  ERROR_FIELDS_MAX,
  ERROR_MESSAGE_BYTES_MAX,
  ERROR_TEXT_BYTES_MAX,
  NODES_MAX,
  PARTITION_COUNT_MAX,
} from "./limits.ts";
import { isFields } from "./reader.ts";
import { moment, nodeId, partitionCount, partitionId, text, version } from "./schema.ts";
import { leaf, list } from "./shapes.ts";

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
