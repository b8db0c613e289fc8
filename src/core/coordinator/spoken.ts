/**
 * What waited for a quorum is done in one commit, with what nobody asks for: it may rule on one partition twice, and
 * change the view several times. What was said in between was never saved; only what is saved is said.
 */
import type { ClusterMessage, PartitionTableUpdate } from "../../protocol/cluster-messages.ts";
import type { CoordinatorEffect } from "./state.ts";
import { forMember, rulingsOf, tableSince } from "./table.ts";
import type { CoordinatorTurn } from "./turn.ts";

export function spoken(turn: CoordinatorTurn): readonly CoordinatorEffect[] {
  return turn.effects.map((effect) => {
    const message = asSaved(turn, effect.message);
    return message === effect.message ? effect : { ...effect, message };
  });
}

function asSaved(turn: CoordinatorTurn, message: ClusterMessage): ClusterMessage {
  switch (message.type) {
    case "JOIN_RESPONSE":
      if (message.accepted) return { ...message, ...forMember(turn) };
      return message.partitionAssignments
        ? { ...message, partitionAssignments: rulingsOf(turn) }
        : message;
    case "PARTITION_TABLE_UPDATE":
      return tableAsSaved(turn, message);
    case "MEMBERS_UPDATE":
      return message.view === turn.view ? message : { ...message, view: turn.view };
    default:
      return rulingAsSaved(turn, message);
  }
}

/** Most are made last, and each of those once for many: they are the same. */
function tableAsSaved(turn: CoordinatorTurn, update: PartitionTableUpdate): PartitionTableUpdate {
  const { version, baseVersion, view } = update;
  const isLast = version === turn.cluster.tableVersion;
  const table = isLast ? update : tableSince(turn, baseVersion);
  return view ? { ...table, view: turn.view } : table;
}

function rulingAsSaved(turn: CoordinatorTurn, message: ClusterMessage): ClusterMessage {
  if (!("ruling" in message) || !message.ruling) return message;
  const { partitionId, epoch } = message.ruling;
  const { ruling = message.ruling } = turn.entries.get(partitionId) ?? {};
  return ruling.epoch > epoch ? { ...message, ruling } : message;
}
