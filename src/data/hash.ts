/** Where a key lives. Clients compute it too, so it can never change: see the golden vectors. */
import { assert } from "./assert.ts";
import { PartitionId } from "./ids.ts";

export const FNV_OFFSET = 0x811c9dc5;
export const FNV_PRIME = 0x01000193;

/** FNV-1a, 32 bits, over UTF-16 code units (not over bytes): an unsigned integer. */
export function fnv1a32(text: string): number {
  let hash = FNV_OFFSET;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  }
  return hash >>> 0;
}

/** `partitionCount`: fixed when the cluster is created, at least 1. */
export function partitionOf(key: string, partitionCount: number): PartitionId {
  assert(partitionCount >= 1, "at least one partition");
  return PartitionId(fnv1a32(key) % partitionCount);
}
