/** An arbitrary for every message of a repair on demand. */
import fc from "fast-check";
import { NodeId } from "../../src/data/ids.ts";
import type { RepairMessage } from "../../src/protocol/repair-messages.ts";
import * as a from "./arbitraries.ts";
import { of } from "./message-of.ts";

type Of<Type extends RepairMessage["type"]> = Extract<RepairMessage, { type: Type }>;

const { count, nodeId } = a;
const figures = fc.record({
  toCompare: count,
  compared: count,
  differing: count,
  rowsSent: count,
  rowsTaken: count,
});
const progress = fc.record({
  repairId: count,
  startedAtMs: fc.nat(1e9),
  finishedAtMs: fc.option(fc.nat(1e9)),
  nodesAsked: count,
  nodesDone: count,
  figures,
});

export const repairMessages: {
  readonly [Type in RepairMessage["type"]]: fc.Arbitrary<Of<Type>>;
} = {
  REPAIR: of<Of<"REPAIR">>()("REPAIR", {}),
  FETCH_REPAIR: of<Of<"FETCH_REPAIR">>()("FETCH_REPAIR", {}),
  REPAIR_REPORT: of<Of<"REPAIR_REPORT">>()("REPAIR_REPORT", { repair: fc.option(progress) }),
  COMPARE: of<Of<"COMPARE">>()("COMPARE", { repairId: count }),
  COMPARED: of<Of<"COMPARED">>()("COMPARED", {
    nodeId,
    repairId: count,
    done: fc.boolean(),
    figures,
  }),
};

export const repairSamples = {
  repair: { type: "REPAIR" },
  "fetch repair": { type: "FETCH_REPAIR" },
  "repair report": {
    type: "REPAIR_REPORT",
    repair: {
      repairId: 1_700_000_000_000,
      startedAtMs: 1_700_000_000_000,
      finishedAtMs: null,
      nodesAsked: 3,
      nodesDone: 1,
      figures: { toCompare: 271, compared: 90, differing: 1, rowsSent: 7, rowsTaken: 2 },
    },
  },
  compare: { type: "COMPARE", repairId: 1_700_000_000_000 },
  compared: {
    type: "COMPARED",
    nodeId: NodeId("n1"),
    repairId: 1_700_000_000_000,
    done: true,
    figures: { toCompare: 90, compared: 90, differing: 0, rowsSent: 0, rowsTaken: 0 },
  },
} satisfies Record<string, RepairMessage>;
