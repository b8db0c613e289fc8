/** Rows and positions of subscriptions, as lists of fixed layout. */
import { BUCKET_DIGEST_BYTES, bucketCount } from "../data/bucket-digest.ts";
import { Epoch, PartitionId, Seq } from "../data/ids.ts";
import type { Result } from "../data/result.ts";
import {
  bytesProblem,
  integerProblem,
  keyProblem,
  malformed,
  within,
  type Problem,
} from "./checks.ts";
import { isKey } from "./guards.ts";
import {
  CHUNK_ROWS_MAX,
  PARTITION_COUNT_MAX,
  POSITIONS_MAX,
  SUBSCRIPTION_BUCKETS_MAX,
} from "./limits.ts";
import type { Layout } from "./layout.ts";
import { diagnose, unpackList } from "./packed.ts";
import { ENTRY_LAYOUT, packEntry, unpackEntry } from "./packed-rows.ts";
import type {
  Buckets,
  ChangedPart,
  ChangedRow,
  PartDigest,
  PartPosition,
} from "./subscription-messages.ts";

const partitionProblem = (id: unknown): Problem | null =>
  integerProblem(id, 0, PARTITION_COUNT_MAX - 1);
const countProblem = (count: unknown): Problem | null =>
  integerProblem(count, 0, Number.MAX_SAFE_INTEGER);
const ifAny =
  (problem: (value: unknown) => Problem | null) =>
  (value: unknown): Problem | null =>
    value === null ? null : problem(value);
const countIfAny = ifAny(countProblem);
/** The logarithm of how many buckets there are, and in two bytes the number of each that is meant. */
const replacesProblem = ifAny((replaces) => {
  const problem = bytesProblem(replaces, 1, 1 + 2 * SUBSCRIPTION_BUCKETS_MAX);
  if (problem || !(replaces instanceof Uint8Array)) return problem;
  if (replaces.length % 2 === 0) return malformed("2 bytes for each bucket");
  const { count, which } = bucketsIn(replaces);
  return (
    integerProblem(replaces[0], 0, Math.log2(SUBSCRIPTION_BUCKETS_MAX)) ??
    integerProblem(Math.max(0, ...which), 0, count - 1)
  );
});

export const POSITION_LAYOUT: Layout = {
  partitionId: partitionProblem,
  since: countProblem,
  seq: countProblem,
};
export const DIGEST_LAYOUT: Layout = { partitionId: partitionProblem, buckets: bucketsProblem };
/** As its key, and behind it what a changed row has between nodes. */
export const CHANGED_ROW_LAYOUT: Layout = { key: keyProblem, ...ENTRY_LAYOUT };
export const PART_LAYOUT: Layout = {
  partitionId: partitionProblem,
  since: countIfAny,
  seq: countIfAny,
  replaces: replacesProblem,
  /** Each is looked at as it is unpacked. */
  rows: () => null,
};

export const bucketCountProblem = (count: unknown): Problem | null =>
  integerProblem(count, 1, SUBSCRIPTION_BUCKETS_MAX) ??
  (Number.isInteger(Math.log2(Number(count))) ? null : malformed("a power of two"));

function bucketsProblem(buckets: unknown): Problem | null {
  const each = BUCKET_DIGEST_BYTES;
  const problem = bytesProblem(buckets, each, each * SUBSCRIPTION_BUCKETS_MAX);
  if (problem || !(buckets instanceof Uint8Array)) return problem;
  return bucketCountProblem(bucketCount(buckets)) && malformed(`${each} bytes for each bucket`);
}

const isPartition = (id: unknown): id is number => !partitionProblem(id);
const isCount = (count: unknown): count is number => !countProblem(count);

// ------------------------------------------------------------------ positions and digests

export const unpackPositions = (wire: unknown): Result<readonly PartPosition[], Problem> =>
  unpackList(wire, POSITIONS_MAX, unpackPosition);

function unpackPosition(wire: unknown): PartPosition | Problem {
  if (!Array.isArray(wire) || wire.length !== 3) return diagnose(wire, POSITION_LAYOUT);
  const [partitionId, since, seq]: unknown[] = wire;
  return isPartition(partitionId) && isCount(since) && isCount(seq)
    ? { partitionId: PartitionId(partitionId), since: Epoch(since), seq: Seq(seq) }
    : diagnose(wire, POSITION_LAYOUT);
}

export const unpackDigests = (wire: unknown): Result<readonly PartDigest[], Problem> =>
  unpackList(wire, POSITIONS_MAX, unpackDigest);

function unpackDigest(wire: unknown): PartDigest | Problem {
  if (!Array.isArray(wire) || wire.length !== 2) return diagnose(wire, DIGEST_LAYOUT);
  const [partitionId, buckets]: unknown[] = wire;
  const right = isPartition(partitionId) && buckets instanceof Uint8Array;
  return right && bucketsProblem(buckets) === null
    ? { partitionId: PartitionId(partitionId), buckets }
    : diagnose(wire, DIGEST_LAYOUT);
}

// ------------------------------------------------------------------ changes

export const packParts = (parts: readonly ChangedPart[]): unknown[] =>
  parts.map(({ partitionId, position, replaces, rows }) => [
    partitionId,
    position?.since ?? null,
    position?.seq ?? null,
    replaces && bytesOf(replaces),
    rows.map((row) => [row.key, ...packEntry(row)]),
  ]);

export const unpackParts = (wire: unknown): Result<readonly ChangedPart[], Problem> =>
  unpackList(wire, PARTITION_COUNT_MAX, unpackPart);

function unpackPart(wire: unknown): ChangedPart | Problem {
  if (!Array.isArray(wire) || wire.length !== 5) return diagnose(wire, PART_LAYOUT);
  const [partitionId, since, seq, replaces, list]: unknown[] = wire;
  const problem = countIfAny(since) ?? countIfAny(seq) ?? replacesProblem(replaces);
  if (problem || !isPartition(partitionId)) return diagnose(wire, PART_LAYOUT);
  const rows = unpackList(list, CHUNK_ROWS_MAX, unpackRow);
  if (!rows.ok) return within(rows.error, ".rows");
  return {
    partitionId: PartitionId(partitionId),
    position: isCount(since) && isCount(seq) ? { since: Epoch(since), seq: Seq(seq) } : null,
    replaces: replaces instanceof Uint8Array ? bucketsIn(replaces) : null,
    rows: rows.value,
  };
}

const bytesOf = ({ count, which }: Buckets): Uint8Array =>
  Uint8Array.of(Math.log2(count), ...which.flatMap((bucket) => [bucket >> 8, bucket & 0xff]));

function bucketsIn([log = 0, ...bytes]: Uint8Array): Buckets {
  const which: number[] = [];
  for (let at = 0; at < bytes.length; at += 2)
    which.push(((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0));
  return { count: 2 ** log, which };
}

function unpackRow(wire: unknown): ChangedRow | Problem {
  const [key, ...entry]: unknown[] = Array.isArray(wire) ? wire : [];
  return isKey(key) ? unpackEntry(entry, { key }) : diagnose(wire, CHANGED_ROW_LAYOUT);
}
