/** The coordinator's saved state as named documents: a ruling writes two of them. */
import { PartitionId } from "../../data/ids.ts";
import type { MembersView } from "../../data/members.ts";
import type { MigrationReport } from "../../protocol/cluster-messages.ts";
import type { Config } from "../config.ts";
import { initialCoordinator, type Cluster, type CoordinatorSaved, type Entry } from "./state.ts";

export function coordinatorDocuments(saved: CoordinatorSaved): Map<string, unknown> {
  const documents = new Map<string, unknown>([["view", saved.view]]);
  if (saved.cluster) documents.set("cluster", saved.cluster);
  for (const [id, entry] of saved.entries) documents.set(`entry/${id}`, entry);
  for (const [slot, report] of saved.finished) documents.set(`finished/${slot}`, report);
  return documents;
}

/** The inverse, of what `coordinatorDocuments` made and JSON carried. */
export function coordinatorFromDocuments(
  documents: ReadonlyMap<string, unknown>,
  config: Config,
): CoordinatorSaved {
  const entries = new Map<PartitionId, Entry>();
  const finished = new Map<number, MigrationReport>();
  for (const [name, value] of documents) {
    const [kind, id] = name.split("/");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by `coordinatorDocuments`
    if (kind === "entry") entries.set(PartitionId(Number(id)), value as Entry);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by `coordinatorDocuments`
    if (kind === "finished") finished.set(Number(id), value as MigrationReport);
  }
  const initial = initialCoordinator(config).saved;
  return {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by `coordinatorDocuments`
    cluster: (documents.get("cluster") as Cluster | undefined) ?? null,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by `coordinatorDocuments`
    view: (documents.get("view") as MembersView | undefined) ?? initial.view,
    // In the order of ids: what is decided must not depend on the order in which SQLite lists names.
    entries: new Map([...entries].toSorted(([a], [b]) => a - b)),
    finished,
  };
}
