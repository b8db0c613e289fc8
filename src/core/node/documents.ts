/** A node's saved state as named documents, each of which changes rarely and by itself. */
import { PartitionId } from "../../data/ids.ts";
import type { MembersView } from "../../data/members.ts";
import type { Config } from "../config.ts";
import { initialNode, type NodeSaved, type PartitionSaved, type Self } from "./state.ts";

export function nodeDocuments({ self, view, partitions }: NodeSaved): Map<string, unknown> {
  const documents = new Map<string, unknown>([
    ["self", self],
    ["view", view],
  ]);
  for (const [id, partition] of partitions) documents.set(`partition/${id}`, partition);
  return documents;
}

/** The inverse, of what `nodeDocuments` made and JSON carried. */
export function nodeFromDocuments(
  documents: ReadonlyMap<string, unknown>,
  config: Config,
): NodeSaved {
  const initial = initialNode(config).saved;
  const partitions = new Map<PartitionId, PartitionSaved>();
  for (const [name, value] of documents) {
    const [kind, id] = name.split("/");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by `nodeDocuments`
    if (kind === "partition") partitions.set(PartitionId(Number(id)), value as PartitionSaved);
  }
  return {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by `nodeDocuments`
    self: { ...initial.self, ...(documents.get("self") as Self | undefined) },
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by `nodeDocuments`
    view: (documents.get("view") as MembersView | undefined) ?? initial.view,
    partitions,
  };
}
