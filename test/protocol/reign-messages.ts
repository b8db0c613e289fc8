/** An arbitrary for every message of terms, quorum and failure. */
import fc from "fast-check";
import type { ReignMessage } from "../../src/protocol/reign-messages.ts";
import * as a from "./arbitraries.ts";
import { of } from "./message-of.ts";

type Of<Type extends ReignMessage["type"]> = Extract<ReignMessage, { type: Type }>;

const { clusterId, nodeId, ruling, term, version } = a;
const role = fc.constantFrom("none" as const, "owner" as const, "copy" as const, "struck" as const);

export const reignMessages: {
  readonly [Type in ReignMessage["type"]]: fc.Arbitrary<Of<Type>>;
} = {
  CAMPAIGN: of<Of<"CAMPAIGN">>()("CAMPAIGN", { term, viewVersion: version }),
  GRANT: of<Of<"GRANT">>()(
    "GRANT",
    {
      nodeId,
      term,
      viewVersion: version,
      tableVersion: version,
      partitions: a.list(fc.record({ ruling, role })),
      view: a.membersView,
      into: clusterId,
    },
    ["view", "into"],
  ),
  HEARTBEAT_COMPLAINT: of<Of<"HEARTBEAT_COMPLAINT">>()("HEARTBEAT_COMPLAINT", {
    complainerId: nodeId,
    complainerViewVersion: version,
    suspectId: nodeId,
    suspectViewVersion: version,
  }),
  EXPLICIT_SUSPICION: of<Of<"EXPLICIT_SUSPICION">>()("EXPLICIT_SUSPICION", {
    suspectId: nodeId,
    reason: a.shortText,
    masterViewVersion: version,
  }),
  PROBE: of<Of<"PROBE">>()("PROBE", {}),
};
