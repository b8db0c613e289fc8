import type { ClusterMessage } from "../../src/protocol/cluster-messages.ts";

const FIELDS = [
  "partitionId",
  "migrationId",
  "epoch",
  "streamId",
  "n",
  "next",
  "status",
  "nodeId",
  "marker",
  "accepted",
  "reason",
];

/** One line a message: its type and what tells it from others of that type. */
export function describe(message: ClusterMessage): string {
  const facts: string[] = [message.type];
  const said = new Map<string, unknown>(Object.entries(message));
  for (const field of FIELDS)
    if (said.get(field) !== undefined) facts.push(`${field}=${String(said.get(field))}`);
  if ("ruling" in message && message.ruling) {
    const { epoch, owner, copies } = message.ruling;
    const listed = copies.map((copy) => `${copy.nodeId}:${copy.state}`).join();
    facts.push(`ruling=${epoch}:${owner}[${listed}]`);
  }
  if ("chunk" in message)
    facts.push(`chunk=${message.chunk.length} deltas=${message.deltas.length}`);
  if ("rows" in message && Array.isArray(message.rows)) facts.push(`rows=${message.rows.length}`);
  return facts.join(" ");
}
