import * as v from "./shapes.ts";
import type {
  Compare,
  Compared,
  FetchRepair,
  Repair,
  RepairFigures,
  RepairProgress,
  RepairReport,
} from "./cluster-messages.ts";
import { declared } from "./declared.ts";
import { count, moment, nodeId } from "./schema.ts";

const figures = declared<RepairFigures>()(
  v.object({
    toCompare: count(),
    compared: count(),
    differing: count(),
    rowsSent: count(),
    rowsTaken: count(),
  }),
);

const progress = declared<RepairProgress>()(
  v.object({
    repairId: count(),
    startedAtMs: moment,
    finishedAtMs: v.nullable(moment),
    nodesAsked: count(),
    nodesDone: count(),
    figures,
  }),
);

export const repairSchemas = {
  REPAIR: declared<Repair>()(v.object({ type: v.literal("REPAIR") })),
  FETCH_REPAIR: declared<FetchRepair>()(v.object({ type: v.literal("FETCH_REPAIR") })),
  REPAIR_REPORT: declared<RepairReport>()(
    v.object({ type: v.literal("REPAIR_REPORT"), repair: v.nullable(progress) }),
  ),
  COMPARE: declared<Compare>()(v.object({ type: v.literal("COMPARE"), repairId: count() })),
  COMPARED: declared<Compared>()(
    v.object({
      type: v.literal("COMPARED"),
      nodeId,
      repairId: count(),
      done: v.boolean(),
      figures,
    }),
  ),
};
