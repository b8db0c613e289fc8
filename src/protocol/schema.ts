/** The leaves of the schemas: each rule exists once (`checks.ts`), and an error names its field, its value and its bounds. */
import type { NodeId, PartitionId, Version } from "../data/ids.ts";
import { STAMP_MILLIS_MAX } from "../data/limits.ts";
import { err, ok, type Result } from "../data/result.ts";
import {
  bytesProblem,
  integerProblem,
  isProblem,
  nodeIdProblem,
  nodeProblem,
  textProblem,
  type Problem,
} from "./checks.ts";
import { PARTITION_COUNT_MAX } from "./limits.ts";
import { leaf, type Schema } from "./shapes.ts";

/** One valid value, or what is wrong with the first invalid part of it. */
export function parse<T>(schema: Schema<T>, value: unknown): Result<T, Problem> {
  const read = schema.read(value);
  return isProblem(read) ? err(read) : ok(read);
}

// ------------------------------------------------------------------ leaves

export const text = <T extends string = string>(min: number, max: number) =>
  leaf<T>(`text of ${min} to ${max} bytes`, (value) => textProblem(value, min, max));

export const integer = <T extends number = number>(min: number, max: number) =>
  leaf<T>(`integer ${min} to ${max}`, (value) => integerProblem(value, min, max));

export const count = <T extends number = number>() => integer<T>(0, Number.MAX_SAFE_INTEGER);

export const bytes = (min: number, max: number) =>
  leaf<Uint8Array>(`${min} to ${max} bytes`, (value) => bytesProblem(value, min, max));

// ------------------------------------------------------------------ names and counters

export const nodeId = leaf<NodeId>("node id", nodeIdProblem);
export const clientId = leaf<string>("1 to 64 of A-Z a-z 0-9 . _ -", nodeProblem);

export const partitionId = integer<PartitionId>(0, PARTITION_COUNT_MAX - 1);
export const partitionCount = integer(1, PARTITION_COUNT_MAX);
export const moment = integer(0, STAMP_MILLIS_MAX);
export const version = count<Version>();
