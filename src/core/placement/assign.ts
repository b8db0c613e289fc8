/**
 * The wanted placement of every partition, given the nodes there are and the placement there is.
 *
 * Pure and deterministic: the order in which candidates are listed does not matter. It moves the
 * least that the balance allows; see `quotas.ts` for what balance means.
 */
import { assignBackups } from "./backups.ts";
import { assignOwners } from "./owners.ts";
import type { Placement } from "./placement.ts";
import { rosterOf, type Candidate } from "./roster.ts";

export type { Placement } from "./placement.ts";
export type { Candidate } from "./roster.ts";

/** The index in `current` and in the result is the partition's id. */
export function computeAssignment(
  candidates: readonly Candidate[],
  current: readonly Placement[],
  config: { readonly backupCount: number },
): readonly Placement[] {
  if (candidates.length === 0) return current.map(() => ({ owner: null, backups: [] }));
  const roster = rosterOf(candidates);
  const owners = assignOwners(roster, current);
  const backups = assignBackups(roster, owners, current, config.backupCount);
  return owners.map((owner, partition) => ({ owner, backups: backups[partition] ?? [] }));
}
