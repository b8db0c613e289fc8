/** Which partitions, or which nodes, have changed at each of the last versions of their half of the map. */
import type { Version } from "../../data/ids.ts";

/** A bounded list of changes, oldest first; of what was before `since` nothing is known. */
export interface MapHistory<Id> {
  readonly since: Version;
  readonly changes: readonly { readonly version: Version; readonly ids: readonly Id[] }[];
}

export const noHistory = (since: Version): MapHistory<never> => ({ since, changes: [] });

/** `max` bounds ids and versions together. */
export function record<Id>(
  { since, changes }: MapHistory<Id>,
  version: Version,
  ids: readonly Id[],
  max: number,
): MapHistory<Id> {
  const all = [...changes, { version, ids }];
  let size = all.reduce((sum, change) => sum + sizeOf(change.ids), 0);
  let dropped = 0;
  let from = since;
  for (const change of all) {
    if (size <= max) break;
    size -= sizeOf(change.ids);
    from = change.version;
    dropped++;
  }
  return { since: from, changes: all.slice(dropped) };
}

const sizeOf = (ids: readonly unknown[]): number => Math.max(1, ids.length);

/** Everything that changed after `version`, once each; null if that is too long ago. */
export function changedSince<Id>(
  { since, changes }: MapHistory<Id>,
  version: Version,
): ReadonlySet<Id> | null {
  if (version < since) return null;
  return new Set(changes.filter((change) => change.version > version).flatMap(({ ids }) => ids));
}

/** Whether this history was at exactly this version: it may have skipped one, and what changed back by then. */
export const wasAt = ({ since, changes }: MapHistory<unknown>, version: Version): boolean =>
  version === since || changes.some((change) => change.version === version);
