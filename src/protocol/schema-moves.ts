import * as v from "./shapes.ts";
import { BUCKET_COUNT, BUCKETS_BYTES } from "../data/digest.ts";
import type {
  Complete,
  Dropped,
  Heard,
  MigrateCancel,
  MigrateData,
  MigrateFinalize,
  MigrateReady,
  MigrateStart,
  PulledRows,
  PullRows,
  RowOffer,
  RowOfferAck,
  StreamAck,
  Strike,
  StrikeCopy,
} from "./cluster-messages.ts";
import { declared } from "./declared.ts";
import { REASON_BYTES_MAX } from "./limits.ts";
import { describe, describeFields, packed } from "./layout.ts";
import {
  CHUNK_FIELDS,
  DELTA_FIELDS,
  ENTRY_LAYOUT,
  ROW_LAYOUT,
  unpackDeltas,
  unpackRows,
} from "./packed-rows.ts";
import { bytes, count, integer, nodeId, partitionId, text } from "./schema.ts";
import { list } from "./shapes.ts";
import { digest, epoch, identity, migrationId, movePurpose, ruling, seq } from "./schema-shared.ts";

const rows = packed(
  `list of ${describeFields(CHUNK_FIELDS)}, data a list of ${describe(ROW_LAYOUT)}`,
  unpackRows,
);
const deltas = packed(
  `list of ${describeFields(DELTA_FIELDS)}, entry ${describe(ENTRY_LAYOUT)}`,
  unpackDeltas,
);
const aboutMove = { migrationId, partitionId };

export const moveSchemas = {
  MIGRATE_START: declared<MigrateStart>()(
    v.object({
      type: v.literal("MIGRATE_START"),
      ...aboutMove,
      destinationNodeId: nodeId,
      purpose: movePurpose,
      ruling,
    }),
  ),
  COMPLETE: declared<Complete>()(
    v.object({
      type: v.literal("COMPLETE"),
      ...aboutMove,
      nodeId,
      epoch,
      digest,
      rows: count(),
      bytes: count(),
    }),
  ),
  MIGRATE_READY: declared<MigrateReady>()(
    v.object({
      type: v.literal("MIGRATE_READY"),
      ...aboutMove,
      sourceNodeId: nodeId,
      epoch,
      digest,
    }),
  ),
  MIGRATE_FINALIZE: declared<MigrateFinalize>()(
    v.object({ type: v.literal("MIGRATE_FINALIZE"), ...aboutMove, newOwner: nodeId, ruling }),
  ),
  MIGRATE_CANCEL: declared<MigrateCancel>()(
    v.object({
      type: v.literal("MIGRATE_CANCEL"),
      ...aboutMove,
      reason: text(0, REASON_BYTES_MAX),
      epoch,
      ruling: v.exactOptional(ruling),
    }),
  ),
  STRIKE_COPY: declared<StrikeCopy>()(
    v.object({
      type: v.literal("STRIKE_COPY"),
      partitionId,
      nodeId,
      epoch,
      reason: text(0, REASON_BYTES_MAX),
    }),
  ),
  STRIKE: declared<Strike>()(v.object({ type: v.literal("STRIKE"), ruling })),
  HEARD: declared<Heard>()(
    v.object({
      type: v.literal("HEARD"),
      partitionId,
      nodeId,
      epoch,
      migrationId: v.exactOptional(migrationId),
    }),
  ),
  DROPPED: declared<Dropped>()(
    v.object({ type: v.literal("DROPPED"), partitionId, nodeId, epoch }),
  ),
};

export const streamSchemas = {
  MIGRATE_DATA: declared<MigrateData>()(
    v.transform(
      v.object({
        type: v.literal("MIGRATE_DATA"),
        partitionId,
        streamId: seq,
        n: count(),
        epoch,
        mapStates: rows,
        deltaOps: deltas,
        collect: v.exactOptional(deltas),
        sourceVersion: seq,
        marker: v.boolean(),
        ruling: v.exactOptional(ruling),
      }),
      ({ mapStates, deltaOps, ...rest }) => ({ ...rest, chunk: mapStates, deltas: deltaOps }),
    ),
  ),
  STREAM_ACK: declared<StreamAck>()(
    v.object({
      type: v.literal("STREAM_ACK"),
      partitionId,
      streamId: seq,
      status: v.picklist(["opened", "unknown", "busy"]),
      next: count(),
      openedSeq: v.exactOptional(seq),
      ruling: v.exactOptional(ruling),
      buckets: v.exactOptional(v.nullable(bytes(BUCKETS_BYTES, BUCKETS_BYTES))),
      markerN: v.exactOptional(count()),
    }),
  ),
  PULL_ROWS: declared<PullRows>()(
    v.object({
      type: v.literal("PULL_ROWS"),
      partitionId,
      streamId: seq,
      buckets: list(integer(0, BUCKET_COUNT - 1), BUCKET_COUNT),
      after: v.nullable(identity),
    }),
  ),
  PULLED_ROWS: declared<PulledRows>()(
    v.object({
      type: v.literal("PULLED_ROWS"),
      partitionId,
      streamId: seq,
      rows,
      after: v.nullable(identity),
    }),
  ),
  ROW_OFFER: declared<RowOffer>()(
    v.object({
      type: v.literal("ROW_OFFER"),
      partitionId,
      offerId: seq,
      ruling,
      rows,
      tail: v.exactOptional(epoch),
    }),
  ),
  ROW_OFFER_ACK: declared<RowOfferAck>()(
    v.object({
      type: v.literal("ROW_OFFER_ACK"),
      partitionId,
      offerId: seq,
      accepted: v.boolean(),
      whole: v.exactOptional(v.boolean()),
      ruling,
    }),
  ),
};
