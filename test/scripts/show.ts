/** Messages, rulings and rows as one line of text each. */
import type { Row } from "../../src/data/row.ts";
import type { Ruling } from "../../src/data/ruling.ts";
import type { ClusterMessage } from "../../src/protocol/cluster-messages.ts";
import type { ServerMessage } from "../../src/protocol/client-messages.ts";
import type { OpResult, ReadResult } from "../../src/protocol/ops.ts";

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

export const showRow = ({ key, value, stamp }: Row): string =>
  `${key}${value ? `=${textOf(value)}` : " deleted"}@${stamp.millis}`;

export function showRuling({ epoch, owner, copies }: Ruling): string {
  const listed = copies.map(({ nodeId, state }) => `, ${nodeId} ${state}`).join("");
  return `${epoch}: owner ${owner ?? "nobody"}${listed}`;
}

export function showMessage(message: ClusterMessage): string {
  const facts = [message.type, ...factsOf(message)];
  if ("ruling" in message && message.ruling) facts.push(`ruling {${showRuling(message.ruling)}}`);
  return facts.join(" ");
}

function factsOf(message: ClusterMessage): string[] {
  switch (message.type) {
    case "MIGRATE_DATA": {
      const parts = [`#${message.n}`];
      if (message.chunk.length > 0) parts.push(`chunk [${message.chunk.map(showRow).join(", ")}]`);
      if (message.deltas.length > 0)
        parts.push(`deltas [${message.deltas.map(showRow).join(", ")}]`);
      if (message.collect) parts.push(`collect [${message.collect.map(showRow).join(", ")}]`);
      return message.marker ? [...parts, "marker"] : parts;
    }
    case "STREAM_ACK": {
      const digest = message.buckets ? ["with its digest"] : [];
      return [message.status, `next #${message.next}`, ...digest];
    }
    case "MIGRATE_START":
      return [`${message.migrationId} to ${message.destinationNodeId}`];
    case "COMPLETE":
      return [`${message.migrationId}: ${message.nodeId} is equal, at epoch ${message.epoch}`];
    case "MIGRATE_READY":
      return [`${message.migrationId}, at epoch ${message.epoch}`];
    case "MIGRATE_FINALIZE":
      return [`${message.migrationId}: ${message.newOwner}`];
    case "MIGRATE_CANCEL":
      return [`${message.migrationId}: ${message.reason}`];
    case "HEARD":
    case "DROPPED":
      return [`${message.nodeId} at ${message.epoch}`];
    case "CONFIRM":
      return [`${message.epoch}`];
    case "CONFIRMED":
      return [`${message.epoch}${message.sole ? ", and nobody else" : ", but not alone"}`];
    case "MOVE_PARTITION":
      return [`to ${message.to}`];
    case "PLANNED":
      return message.plan.map(({ source, target }) => `${source} to ${target}`);
    case "PARTITION_TABLE_UPDATE":
      return message.assignments.map((ruling) => `{${showRuling(ruling)}}`);
    case "PULLED_ROWS":
      return [`[${message.rows.map(showRow).join(", ")}]`];
    case "ROW_OFFER":
      return [`${message.tail ? "tail " : ""}[${message.rows.map(showRow).join(", ")}]`];
    case "OP_FORWARD": {
      const told = message.rulings.map((ruling) => ` told {${showRuling(ruling)}}`).join("");
      return [`${message.ops.map(({ key }) => key).join(", ")}${told}`];
    }
    case "OP_FORWARDED": {
      const theirs = message.notOwned.map((ruling) => ` {${showRuling(ruling)}}`).join("");
      return [`${message.results.map(showResult).join(", ")}${theirs}`];
    }
    case "ROW_OFFER_ACK":
      if (message.whole) return ["all is wanted"];
      return [message.accepted ? "accepted" : "not the owner"];
    case "ERROR":
      return [message.error.code];
    default:
      return factsOfMerge(message);
  }
}

function factsOfMerge(message: ClusterMessage): string[] {
  switch (message.type) {
    case "MERGE_CLUSTER":
      return [`with ${message.clusterId}`];
    case "CLUSTER_REPORT": {
      const { phase, error } = message.merge ?? {};
      const merge = phase ? [`merge ${phase}`, ...(error ? [error.code] : [])] : [];
      const quorum = message.quorum === null ? "unknown" : message.quorum ? "yes" : "no";
      return [...merge, `quorum ${quorum}`];
    }
    case "MERGE_STARTED":
      return [`${message.winner} takes ${message.loser} in`];
    case "SPLIT_BRAIN_PROBE":
      return [`${message.senderMemberCount} members, master ${message.senderMasterId}`];
    case "SPLIT_BRAIN_PROBE_RESPONSE": {
      const { responderMemberCount, responderMasterId, error } = message;
      return [error?.code ?? `${responderMemberCount} members, master ${responderMasterId}`];
    }
    case "MERGE_REQUEST":
      return [`of ${message.sourceClusterId}`];
    case "MERGE_RESPONSE":
      return [message.accepted ? "accepted" : `refused ${message.error?.code ?? ""}`];
    case "CEDE":
      return [`into ${message.into}${message.over ? ", over" : ""}`];
    case "CEDED":
      return [`${message.nodeId}: ${message.partitions.map((p) => p.partitionId).join(", ")}`];
    default:
      return [];
  }
}

function showResult(result: OpResult | ReadResult): string {
  if (result.type === "refused") return `refused ${result.error.code}`;
  if (result.type !== "value") return result.type;
  return result.value ? `value ${textOf(result.value)}` : "nothing";
}

export function showAnswer(message: ServerMessage): string {
  switch (message.type) {
    case "ACK": {
      const [exception] = message.exceptions;
      return `w${message.seq} ${exception ? showResult(exception.result) : "acknowledged"}`;
    }
    case "VALUES":
      return `r${message.seq} ${message.values.map(showResult).join(", ")}`;
    case "NOT_OWNER": {
      const owners = message.owners.map(({ ownerNodeId }) => ownerNodeId ?? "nobody").join();
      return `#${message.seq} belongs to ${owners}${message.applied ? ", and was passed on" : ""}`;
    }
    case "ERROR":
      return `#${message.seq} ${message.error.code}`;
    default:
      return message.type;
  }
}
