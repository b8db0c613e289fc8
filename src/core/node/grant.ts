/** What a node tells a coordinator that campaigns. That it refuses lower terms from now on is saved already. */
import type { Campaign, Grant } from "../../protocol/cluster-messages.ts";
import type { CallId } from "../machine/cluster-event.ts";
import type { Turn } from "./turn.ts";

export function onCampaign(turn: Turn, { viewVersion }: Campaign, call: CallId | null): void {
  const { view, partitions } = turn.state.saved;
  const { term, tableVersion, ceding } = turn.self;
  const grant: Grant = {
    type: "GRANT",
    nodeId: turn.me,
    term,
    viewVersion: view.version,
    tableVersion,
    partitions: [...partitions.values()].map(({ ruling, role }) => ({ ruling, role: role.type })),
    ...(view.version > viewVersion && { view }),
    ...(ceding && { into: ceding.into }),
  };
  turn.answer(call, grant);
}
