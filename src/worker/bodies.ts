/** Bodies of requests: bounded before they are parsed, checked whole before anything is done. */
import type { PartitionId } from "../data/ids.ts";
import { err, ok } from "../data/result.ts";
import { integerProblem, keyProblem, malformed } from "../protocol/checks.ts";
import type {
  AddNodes,
  ClaimPartition,
  MergeCluster,
  MovePartition,
} from "../protocol/cluster-messages.ts";
import { makeError, type ErrorInfo } from "../protocol/errors.ts";
import { FRAME_BYTES_MAX, FRAME_OPS_MAX } from "../protocol/limits.ts";
import type { CallOp, WriteOp } from "../protocol/ops.ts";
import { commandIdProblem, versionProblem } from "../protocol/client-calls.ts";
import { mergeSchemas } from "../protocol/schema-merge.ts";
import { operatorSchemas } from "../protocol/schema-operator.ts";
import { parse } from "../protocol/schema.ts";
import type { Schema } from "../protocol/shapes.ts";
import type { Parsed } from "./routes.ts";
import { encodeJson } from "../protocol/values.ts";

/** What is read of a body that is too large: one left unread closes a connection that others may be using. */
const REFUSED_BYTES_MAX = 4 * FRAME_BYTES_MAX;

/** Keeps no more than the bound, whatever the headers say. */
export async function readJson(request: Request): Promise<Parsed<unknown>> {
  const bytes = await readBytes(request);
  if (!bytes.ok) return bytes;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.value);
  } catch {
    return err(makeError("BAD_TEXT", { field: "body", expected: "UTF-8" }));
  }
  try {
    return ok(JSON.parse(text));
  } catch (error) {
    return err(makeError("BAD_JSON", { reason: String(error) }));
  }
}

/** As `readJson`; no body at all is `{}`. */
export async function readFields(request: Request): Promise<Parsed<unknown>> {
  return request.body === null ? ok({}) : readJson(request);
}

async function readBytes({ body, headers }: Request): Promise<Parsed<Uint8Array>> {
  const announced = Number(headers.get("content-length") ?? 0);
  if (announced > REFUSED_BYTES_MAX) return err(tooLarge(announced));
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > REFUSED_BYTES_MAX) break;
    if (length <= FRAME_BYTES_MAX) chunks.push(chunk);
  }
  if (length > FRAME_BYTES_MAX) return err(tooLarge(length));
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return ok(bytes);
}

const tooLarge = (bytes: number): ErrorInfo =>
  makeError("FRAME_TOO_LARGE", { bytes, bytesMax: FRAME_BYTES_MAX });

/** What a batch asks for, key by key: an op, or why there is none. */
export type Batch = ReadonlyMap<string, Parsed<WriteOp>>;

/** `{ put: { key: value }, delete: [key] }`. A key or value out of bounds takes no other with it. */
export function batchOf(map: string, json: unknown): Parsed<Batch> {
  const fields = fieldsOf(json, ["put", "delete"]);
  if (!fields.ok) return fields;
  const { put = {}, delete: deleted = [] } = fields.value;
  if (!isObject(put)) return err(malformed("an object")("put"));
  if (!isTexts(deleted)) return err(malformed("a list of texts")("delete"));
  const entries = Object.entries(put);
  const ops = entries.length + deleted.length;
  if (ops > FRAME_OPS_MAX) return err(makeError("TOO_MANY_OPS", { ops, opsMax: FRAME_OPS_MAX }));
  const batch = new Map<string, Parsed<WriteOp>>();
  for (const [key, inner] of entries) batch.set(key, putOf(map, key, inner));
  for (const key of deleted) {
    if (batch.has(key)) return err(malformed("keys that are named once")("delete"));
    batch.set(key, writeOf(map, key, null));
  }
  return ok(batch);
}

function putOf(map: string, key: string, json: unknown): Parsed<WriteOp> {
  const value = encodeJson(json, "value");
  return value.ok ? writeOf(map, key, value.value) : value;
}

function writeOf(map: string, key: string, value: Uint8Array | null): Parsed<WriteOp> {
  const problem = keyProblem(key)?.("key");
  return problem
    ? err(problem)
    : ok({ type: "write", map, key, stamp: null, value, expiresAt: null });
}

/** `{ add }` */
export function incrementOf(json: unknown): Parsed<number> {
  const fields = fieldsOf(json, ["add"]);
  if (!fields.ok) return fields;
  const { add } = fields.value;
  const max = Number.MAX_SAFE_INTEGER;
  const problem = integerProblem(add, -max, max)?.("add");
  if (problem || typeof add !== "number") return err(problem ?? malformed("an integer")("add"));
  return ok(add);
}

/** `{ command, commandId?, expectedVersion? }`; a command without an id, null, is a question. */
export function callOf(json: unknown): Parsed<CallFields> {
  const fields = fieldsOf(json, ["command", "commandId", "expectedVersion"]);
  if (!fields.ok) return fields;
  const { command: asked, commandId, expectedVersion = null } = fields.value;
  const command = encodeJson(asked, "command");
  if (!command.ok) return command;
  const problem =
    (commandId === undefined ? null : commandIdProblem(commandId)?.("commandId")) ??
    versionProblem(expectedVersion)?.("expectedVersion");
  if (problem) return err(problem);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both were checked
  const checked = { commandId, expectedVersion } as Pick<
    CallFields,
    "commandId" | "expectedVersion"
  >;
  return ok({ ...checked, command: command.value });
}

type CallFields = Pick<CallOp, "command" | "expectedVersion"> & {
  readonly commandId?: CallOp["commandId"] | undefined;
};

/** `{ count?, id?, region?, weight? }` */
export function addNodesOf(json: unknown): Parsed<AddNodes> {
  const fields = fieldsOf(json, ["count", "id", "region", "weight"]);
  if (!fields.ok) return fields;
  const { count = 1, id, region = "", weight = 1 } = fields.value;
  if (id !== undefined && count !== 1) return err(malformed("1 where there is an id")("count"));
  const named = id === undefined ? {} : { nodeId: id };
  const schema: Schema<AddNodes> = operatorSchemas.ADD_NODES;
  const message = parse(schema, { type: "ADD_NODES", count, region, weight, ...named });
  return message.ok ? message : err(message.error(""));
}

/** `{ partition, to }` */
export function moveOf(json: unknown): Parsed<MovePartition> {
  const fields = fieldsOf(json, ["partition", "to"]);
  if (!fields.ok) return fields;
  const { partition: partitionId, to } = fields.value;
  const message = parse(operatorSchemas.MOVE_PARTITION, {
    type: "MOVE_PARTITION",
    partitionId,
    to,
  });
  return message.ok ? message : err(message.error(""));
}

/** `{ cluster }` */
export function mergeOf(json: unknown): Parsed<MergeCluster> {
  const fields = fieldsOf(json, ["cluster"]);
  if (!fields.ok) return fields;
  const { cluster: clusterId } = fields.value;
  const message = parse(mergeSchemas.MERGE_CLUSTER, { type: "MERGE_CLUSTER", clusterId });
  return message.ok ? message : err(message.error(""));
}

export function claimOf(json: unknown, partitionId: PartitionId): Parsed<ClaimPartition> {
  const fields = fieldsOf(json, ["node", "epoch"]);
  if (!fields.ok) return fields;
  const { node: nodeId, epoch } = fields.value;
  const asked = { type: "CLAIM_PARTITION", partitionId, nodeId, epoch };
  const message = parse(operatorSchemas.CLAIM_PARTITION, asked);
  return message.ok ? message : err(message.error(""));
}

/** A field that is not known is a slip, and its default not what was meant. */
function fieldsOf(
  json: unknown,
  known: readonly string[],
): Parsed<Readonly<Record<string, unknown>>> {
  if (!isObject(json)) return err(malformed("an object")("body"));
  const stranger = Object.keys(json).find((name) => !known.includes(name));
  if (stranger !== undefined) return err(malformed(`one of ${known.join(", ")}`)(stranger));
  return ok(json);
}

const isTexts = (json: unknown): json is readonly string[] =>
  Array.isArray(json) && json.every((item) => typeof item === "string");

const isObject = (json: unknown): json is Readonly<Record<string, unknown>> =>
  typeof json === "object" && json !== null && !Array.isArray(json);
