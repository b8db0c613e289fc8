/**
 * What was judged of each partition after a step still holds while nothing that it was judged by is another: neither
 * entries, nor what nodes know, nor tables of rows are ever changed in place. Only what may have changed is judged anew.
 */
import type { PartitionId } from "../../src/data/ids.ts";
import type { Checkers, Invariant } from "./checkers.ts";
import type { Judge } from "./predicates.ts";
import type { World } from "./world.ts";

type Facts = readonly unknown[];

interface Judgement {
  readonly facts: Facts;
  readonly tally: Tally;
}

/** How much was judged. */
class Tally implements Judge {
  readonly counts = new Map<Invariant, number>();
  readonly #judge: Judge;

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  count(id: Invariant): void {
    this.counts.set(id, (this.counts.get(id) ?? 0) + 1);
  }

  fail(id: Invariant, message: string): never {
    this.#judge.fail(id, message);
  }
}

export class Judged {
  readonly #world: World;
  readonly #judge: Checkers;
  readonly #known = new Map<PartitionId, Judgement>();
  /** Of all partitions together; null: of one of them something else has changed. */
  #facts: Facts | null = null;
  readonly #total = new Map<Invariant, number>();

  constructor(world: World, judge: Checkers) {
    this.#world = world;
    this.#judge = judge;
  }

  /** Something else that it is judged by has changed. */
  forget(partitionId: PartitionId): void {
    this.#known.delete(partitionId);
    this.#facts = null;
  }

  /** What holds as it did counts as judged. */
  afterStep(
    partitions: Iterable<PartitionId>,
    judge: (partitionId: PartitionId, tally: Judge) => void,
  ): void {
    const facts = this.#factsOfAll();
    if (!this.#facts || !isSame(facts, this.#facts)) {
      this.#facts = facts;
      this.#total.clear();
      for (const partitionId of partitions) this.#look(partitionId, judge);
    }
    for (const [id, times] of this.#total) this.#judge.count(id, times);
  }

  #look(partitionId: PartitionId, judge: (partitionId: PartitionId, tally: Judge) => void): void {
    const facts = this.#factsOf(partitionId);
    let known = this.#known.get(partitionId);
    if (!known || !isSame(facts, known.facts)) {
      known = { facts, tally: new Tally(this.#judge) };
      judge(partitionId, known.tally);
      this.#known.set(partitionId, known);
    }
    for (const [id, times] of known.tally.counts)
      this.#total.set(id, (this.#total.get(id) ?? 0) + times);
  }

  #factsOfAll(): Facts {
    const { coordinator, nodes } = this.#world;
    const facts: unknown[] = [coordinator.disk.entries];
    for (const { disk, rows } of nodes.values()) facts.push(disk.partitions, rows.tables);
    return facts;
  }

  #factsOf(partitionId: PartitionId): Facts {
    const { coordinator, nodes } = this.#world;
    const entry = coordinator.disk.entries.get(partitionId);
    const facts: unknown[] = [entry];
    const { owner = null } = entry?.ruling ?? {};
    const known = owner && nodes.get(owner);
    if (known) facts.push(known.disk.partitions.get(partitionId), known.rows.tables[partitionId]);
    for (const id of entry?.holders ?? []) facts.push(nodes.get(id)?.rows.tables[partitionId]);
    return facts;
  }
}

const isSame = (some: Facts, others: Facts): boolean =>
  some.length === others.length && some.every((fact, i) => fact === others[i]);
