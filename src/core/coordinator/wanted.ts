/** Where a partition is to be by the plan, where it is, and what is to be done about the difference. */
import type { NodeId } from "../../data/ids.ts";
import type { Ruling } from "../../data/ruling.ts";
import type { MovePurpose } from "../../protocol/cluster-messages.ts";
import type { MigrationTask } from "../placement/plan.ts";
import type { Entry } from "./state.ts";

export interface Task extends MigrationTask {
  readonly purpose: MovePurpose;
}

type Standing = Pick<Entry, "ruling" | "wanted" | "wantedBackups">;

/** Every node that has all rows of the partition, the owner first. */
export const completeAt = ({ ruling }: Standing): readonly NodeId[] => [
  ...(ruling.owner ? [ruling.owner] : []),
  ...ruling.copies.filter(({ state }) => state === "complete").map(({ nodeId }) => nodeId),
];

/** What is to be done, the move first: it leaves one copy more, at the source. */
export function tasksOf(entry: Standing): readonly Task[] {
  const { ruling, wanted, wantedBackups } = entry;
  const { owner: source, partitionId } = ruling;
  if (!source) return [];
  const complete = completeAt(entry);
  const missing = wantedBackups.filter((id) => !complete.includes(id));
  const copies = missing.map((target): Task => ({
    partitionId,
    source,
    target,
    purpose: "backup",
  }));
  if (!wanted || wanted === source) return copies;
  return [{ partitionId, source, target: wanted, purpose: "move" }, ...copies];
}

type Test = (nodeId: NodeId) => boolean;

/**
 * Without it there are still as many complete copies, owner included, as the plan wants, at nodes that answer. While the
 * owner does not, nothing is spared at all.
 */
export function canSpare(entry: Standing, nodeId: NodeId, isSilent: Test): boolean {
  const { owner } = entry.ruling;
  const isThere = (id: NodeId): boolean => id === owner || !isSilent(id);
  const others = completeAt(entry).filter((id) => id !== nodeId && isThere(id));
  return others.length >= 1 + entry.wantedBackups.length;
}

/** A copy that nobody wants, and that nobody will miss. */
function isSpare(entry: Standing, nodeId: NodeId, isSilent: Test): boolean {
  const isWanted = nodeId === entry.wanted || entry.wantedBackups.includes(nodeId);
  return !isWanted && canSpare(entry, nodeId, isSilent);
}

/** Copies that are not wanted any more go when those that are have come, and nothing is under way. */
export function withoutSpares(entry: Entry, isSilent: Test): Ruling {
  const { ruling, move } = entry;
  if (move || ruling.copies.length <= entry.wantedBackups.length) return ruling;
  const spare = ruling.copies.find(({ nodeId }) => isSpare(entry, nodeId, isSilent));
  if (!spare) return ruling;
  const copies = ruling.copies.filter((copy) => copy !== spare);
  return withoutSpares({ ...entry, ruling: { ...ruling, copies } }, isSilent);
}

/** The same plan with another owner, who gives up its place among the backups to the one before. */
export function withOwner(
  { wanted, wantedBackups }: Standing,
  owner: NodeId,
): Pick<Entry, "wanted" | "wantedBackups"> {
  if (!wantedBackups.includes(owner)) return { wanted: owner, wantedBackups };
  const others = wantedBackups.filter((id) => id !== owner && id !== wanted);
  return { wanted: owner, wantedBackups: wanted ? [...others, wanted] : others };
}
