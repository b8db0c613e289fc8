import { BUCKET_DIGEST_BYTES } from "../data/bucket-digest.ts";
import * as v from "./shapes.ts";
import { declared } from "./declared.ts";
import { filterProblem, FILTER_OPS, type Filter } from "./filter.ts";
import {
  KEY_BYTES_MAX,
  PARTITION_COUNT_MAX,
  SUBSCRIPTION_BUCKETS_MAX,
  SUBSCRIPTION_KEYS_MAX,
} from "./limits.ts";
import { describe, describeFields, packed } from "./layout.ts";
import {
  bucketCountProblem,
  DIGEST_LAYOUT,
  POSITION_LAYOUT,
  unpackDigests,
  unpackPositions,
} from "./packed-changes.ts";
import { CHUNK_FIELDS, ROW_LAYOUT, unpackRows } from "./packed-rows.ts";
import { bytes, count, integer, partitionId, text } from "./schema.ts";
import { digestKey, partitionIds } from "./schema-digests.ts";
import { leaf, list } from "./shapes.ts";
import { epoch, identity, key, mapName, rulings, seq } from "./schema-shared.ts";
import type {
  Digests,
  FeedPart,
  FetchedPage,
  FetchedRows,
  FetchRows,
  Interest,
  Interested,
  PartPosition,
  PartRead,
  Query,
  RowsChanged,
  RowsHeard,
  Subscribe,
  Unsubscribe,
} from "./subscription-messages.ts";

const filter = leaf<Filter>(`filter: ${FILTER_OPS.join(" ")}`, filterProblem);
const query = {
  map: mapName,
  prefix: v.exactOptional(text(0, KEY_BYTES_MAX)),
  keys: v.exactOptional(list(key, SUBSCRIPTION_KEYS_MAX)),
  filter: v.exactOptional(filter),
};
const received = v.exactOptional(count());

export const subscriberSchemas = {
  SUBSCRIBE: declared<Subscribe>()(
    v.object({
      type: v.literal("SUBSCRIBE"),
      seq: count(),
      id: count(),
      ...query,
      positions: packed(`list of ${describe(POSITION_LAYOUT)}`, unpackPositions),
      received,
    }),
  ),
  UNSUBSCRIBE: declared<Unsubscribe>()(
    v.object({ type: v.literal("UNSUBSCRIBE"), id: count(), received }),
  ),
  DIGESTS: declared<Digests>()(
    v.object({
      type: v.literal("DIGESTS"),
      seq: count(),
      id: count(),
      parts: packed(`list of ${describe(DIGEST_LAYOUT)}`, unpackDigests),
      received,
    }),
  ),
};

const rows = packed(
  `list of ${describeFields(CHUNK_FIELDS)}, data a list of ${describe(ROW_LAYOUT)}`,
  unpackRows,
);
const position = { partitionId, since: epoch, seq };
const bucketCount = leaf<number>("power of two up to 1024", bucketCountProblem);

const want = v.variant("type", {
  changes: v.object({ type: v.literal("changes"), since: epoch, seq }),
  rows: v.object({
    type: v.literal("rows"),
    count: bucketCount,
    which: list(integer(0, SUBSCRIPTION_BUCKETS_MAX - 1), SUBSCRIPTION_BUCKETS_MAX),
  }),
  digest: v.object({ type: v.literal("digest"), count: bucketCount, salt: digestKey }),
});

export const interestSchemas = {
  INTEREST: declared<Interest>()(
    v.object({ type: v.literal("INTEREST"), n: seq, map: mapName, partitionIds }),
  ),
  INTERESTED: declared<Interested>()(
    v.object({
      type: v.literal("INTERESTED"),
      n: seq,
      map: mapName,
      positions: list(declared<PartPosition>()(v.object(position)), PARTITION_COUNT_MAX),
      notOwned: rulings,
    }),
  ),
  ROWS_CHANGED: declared<RowsChanged>()(
    v.object({
      type: v.literal("ROWS_CHANGED"),
      n: seq,
      again: v.boolean(),
      parts: list(
        declared<FeedPart>()(
          v.object({ map: mapName, partitionId, since: epoch, from: seq, to: seq, rows }),
        ),
        PARTITION_COUNT_MAX,
      ),
    }),
  ),
  ROWS_HEARD: declared<RowsHeard>()(
    v.object({
      type: v.literal("ROWS_HEARD"),
      n: seq,
      listens: v.boolean(),
      unwanted: list(v.object({ map: mapName, partitionId }), PARTITION_COUNT_MAX),
    }),
  ),
  FETCH_ROWS: declared<FetchRows>()(
    v.object({
      type: v.literal("FETCH_ROWS"),
      fetchId: seq,
      query: declared<Query>()(v.object(query)),
      reads: list(
        declared<PartRead>()(v.object({ partitionId, after: v.nullable(identity), want })),
        PARTITION_COUNT_MAX,
      ),
    }),
  ),
  FETCHED_ROWS: declared<FetchedRows>()(
    v.object({
      type: v.literal("FETCHED_ROWS"),
      fetchId: seq,
      pages: list(
        declared<FetchedPage>()(
          v.object({
            ...position,
            after: v.nullable(identity),
            rows,
            digest: v.exactOptional(
              bytes(BUCKET_DIGEST_BYTES, BUCKET_DIGEST_BYTES * SUBSCRIPTION_BUCKETS_MAX),
            ),
            stale: v.exactOptional(v.boolean()),
          }),
        ),
        PARTITION_COUNT_MAX,
      ),
      notOwned: rulings,
    }),
  ),
};
