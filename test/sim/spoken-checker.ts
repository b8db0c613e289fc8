/** I12: what a node has heard of members, owners and copies was saved before, under that very version or epoch. */
import type { CoordinatorSaved } from "../../src/core/coordinator/state.ts";
import type { NodeSaved } from "../../src/core/node/state.ts";
import type { Ruling } from "../../src/data/ruling.ts";

/** Its name, by version or epoch, and what it says. */
type Word = readonly [name: string, said: string];

export class SpokenChecker {
  readonly #saved = new Map<string, string>();

  saved(before: CoordinatorSaved, after: CoordinatorSaved): void {
    for (const [name, said] of wordsOf(before, after)) this.#saved.set(name, said);
  }

  /** What is wrong with what a node has taken over, or null. */
  objection(before: NodeSaved, after: NodeSaved, judged: () => void): string | null {
    for (const [name, said] of wordsHeard(before, after)) {
      judged();
      const saved = this.#saved.get(name);
      if (saved !== said) return `${name} is ${said}, which was saved as ${saved}`;
    }
    return null;
  }
}

/** Of a table the rulings are judged. A node may have heard of later ones. */
const THERE = "there";

function wordsOf(before: CoordinatorSaved, { cluster, entries, view }: CoordinatorSaved): Word[] {
  const changed = [...entries].filter(([id, entry]) => before.entries.get(id) !== entry);
  return [
    [`view ${view.version}`, JSON.stringify(view.members)],
    [`table ${cluster?.tableVersion ?? 0}`, THERE],
    ...changed.map(([, { ruling }]) => wordOf(ruling)),
  ];
}

function wordsHeard(before: NodeSaved, { self, view, partitions }: NodeSaved): Word[] {
  const words: Word[] = [];
  if (view.version !== before.view.version)
    words.push([`view ${view.version}`, JSON.stringify(view.members)]);
  if (self.tableVersion !== before.self.tableVersion)
    words.push([`table ${self.tableVersion}`, THERE]);
  for (const [partitionId, { ruling }] of partitions)
    if (ruling.epoch !== (before.partitions.get(partitionId)?.ruling.epoch ?? 0))
      words.push(wordOf(ruling));
  return words;
}

/** A copy that does not count yet is listed under the epoch that there is. */
function wordOf({ partitionId, epoch, owner, since, copies }: Ruling): Word {
  const complete = copies.filter(({ state }) => state === "complete");
  return [`ruling ${partitionId}@${epoch}`, JSON.stringify([owner, since, complete])];
}
