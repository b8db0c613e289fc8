/** Of partitions, and how they are compared. */
import type { DigestKey } from "../data/digest.ts";
import { PARTITION_COUNT_MAX } from "./limits.ts";
import { integer, partitionId } from "./schema.ts";
import { list, object, type Schema } from "./shapes.ts";

export const partitionIds = list(partitionId, PARTITION_COUNT_MAX);

const word = integer(0, 2 ** 32 - 1);
export const digestKey: Schema<DigestKey> = object({ a: word, b: word });
