import * as v from "./shapes.ts";
import type {
  Done,
  Failed,
  OpForward,
  OpForwarded,
  Scan,
  Scanned,
  ScanPage,
} from "./cluster-messages.ts";
import { declared } from "./declared.ts";
import { FRAME_OPS_MAX, PARTITION_COUNT_MAX, SCAN_LIMIT_MAX } from "./limits.ts";
import { OP_LAYOUTS, unpackOps } from "./packed-ops.ts";
import { anyResult } from "./packed-results.ts";
import { ENTRY_OF_SCAN_LAYOUT, unpackEntries } from "./packed-scan.ts";
import { describe, packed } from "./layout.ts";
import { clientId, integer, partitionId } from "./schema.ts";
import { partitionIds } from "./schema-digests.ts";
import { list } from "./shapes.ts";
import { ackLevel, clusterId, key, mapName, rulings, sender, seq } from "./schema-shared.ts";
import { errorInfo } from "./schema-told.ts";

const ops = packed(
  `bytes: list of ${Object.values(OP_LAYOUTS).map(describe).join(" or ")}`,
  unpackOps,
);
const results = list(anyResult, FRAME_OPS_MAX);

export const operationSchemas = {
  OP_FORWARD: declared<OpForward>()(
    v.transform(
      v.object({
        type: v.literal("OP_FORWARD"),
        sourceNodeId: sender,
        targetPartitionId: v.exactOptional(partitionId),
        clientId: v.exactOptional(clientId),
        forwardId: seq,
        ack: v.exactOptional(ackLevel),
        rulings,
        together: v.exactOptional(v.boolean()),
        payload: ops,
      }),
      ({ payload, ...rest }) => ({ ...rest, ops: payload }),
    ),
  ),
  OP_FORWARDED: declared<OpForwarded>()(
    v.object({ type: v.literal("OP_FORWARDED"), forwardId: seq, results, notOwned: rulings }),
  ),
  SCAN: declared<Scan>()(
    v.object({
      type: v.literal("SCAN"),
      partitionIds,
      map: mapName,
      prefix: key,
      after: v.nullable(key),
      limit: integer(1, SCAN_LIMIT_MAX),
    }),
  ),
  SCANNED: declared<Scanned>()(
    v.object({
      type: v.literal("SCANNED"),
      pages: list(
        declared<ScanPage>()(
          v.object({
            partitionId,
            entries: packed(`list of ${describe(ENTRY_OF_SCAN_LAYOUT)}`, unpackEntries),
            done: v.boolean(),
          }),
        ),
        PARTITION_COUNT_MAX,
      ),
      notOwned: rulings,
      ceded: v.exactOptional(v.object({ into: clusterId, partitionIds })),
    }),
  ),
};

export const answerSchemas = {
  DONE: declared<Done>()(v.object({ type: v.literal("DONE") })),
  ERROR: declared<Failed>()(v.object({ type: v.literal("ERROR"), error: errorInfo })),
};
