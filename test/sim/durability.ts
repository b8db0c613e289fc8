/**
 * I5, I6 and I14: where what was acknowledged must be. A new owner that took the place of a lost one may lack what
 * only that one had, until it is back and has offered it; whatever else was acknowledged it must have all the time.
 */
import type { Entry } from "../../src/core/coordinator/state.ts";
import { completeAt } from "../../src/core/coordinator/wanted.ts";
import { strays } from "../../src/core/coordinator/moves.ts";
import type { Epoch, NodeId, PartitionId } from "../../src/data/ids.ts";
import { partitionOf } from "../../src/data/hash.ts";
import { compareRows, type Identity, type Row } from "../../src/data/row.ts";
import { identityKey } from "../../src/core/rows/identity-key.ts";
import { isClosing } from "../../src/core/partition/silence.ts";
import type { RowStore } from "../../src/core/rows/row-store.ts";
import { Acked } from "./acked.ts";
import type { Checkers } from "./checkers.ts";
import { Judged } from "./judged.ts";
import {
  atEveryCopy,
  copyWithout,
  entryOf,
  EVERYTHING,
  has,
  moveAtomicity,
  noLostAck,
  noResurrection,
  show,
} from "./predicates.ts";
import type { World } from "./world.ts";

interface Forced {
  readonly at: Epoch;
  /** Who may have more of it than whoever it was given to. */
  readonly others: readonly NodeId[];
  /**
   * Who was struck before: until it hears who is owner now it may hear that first, or be told that the owner of then has
   * all that it offered, and drops its rows. With that owner they are gone.
   */
  readonly leaving: ReadonlySet<NodeId>;
}

export class Durability {
  readonly #world: World;
  readonly #judge: Checkers;
  readonly #acked = new Map<PartitionId, Acked>();
  /** Partitions whose owner may lack something. */
  readonly #behind = new Set<PartitionId>();
  /** Partitions that were given away by force. */
  readonly #forced = new Map<PartitionId, Forced>();
  /** The epoch at which each node was struck last, or was still to hear so. */
  readonly #struck = new Map<PartitionId, Map<NodeId, Epoch>>();
  readonly #judged: Judged;

  constructor(world: World, judge: Checkers) {
    this.#world = world;
    this.#judge = judge;
    this.#judged = new Judged(world, judge);
  }

  /** The greatest row of an entry that is acknowledged and that the owner must have. */
  due(key: string): Row | undefined {
    const name = identityKey({ map: "m", key, kind: "lww", sub: "" });
    return this.#acked.get(this.#partitionOf(key))?.due(name);
  }

  /** The greatest that is acknowledged and not lost. */
  greatest(identity: Identity): Row | undefined {
    return this.#acked.get(this.#partitionOf(identity.key))?.greatest(identityKey(identity));
  }

  stored(row: Row): void {
    const entry = entryOf(this.#world, row.key);
    const partitionId = this.#partitionOf(row.key);
    const acked = this.#changing(partitionId);
    if (!acked.isBuried(row) || (entry && this.#isBack(entry, row))) {
      const isBehind = entry !== undefined && this.#behind.has(partitionId);
      acked.add(row, isBehind && !this.#isAtOwner(row));
    } else this.#world.counts["writes lost with a node"]++;
  }

  backedUp(row: Row): void {
    this.#world.counts["writes acked by backups"]++;
    const entry = entryOf(this.#world, row.key);
    const isMissing = copyWithout(this.#world, row) !== null;
    const isAtRisk = entry !== undefined && !this.#isKept(entry, row, completeAt(entry));
    if (entry && (isMissing || isAtRisk) && this.#isGivenUp(row, entry)) {
      this.#world.counts["backed up rows given up by force"]++;
      return;
    }
    atEveryCopy(this.#judge, this.#world, row);
    this.#changing(this.#partitionOf(row.key)).addBackedUp(row);
  }

  /**
   * The operator did not wait for those who had it all. What they have, and may acknowledge until they hear so, they
   * offer; what was destroyed with them nobody has.
   */
  #isGivenUp(row: Row, { ruling, holders }: Entry): boolean {
    const forced = this.#forced.get(ruling.partitionId);
    if (!forced) return this.#of(ruling.partitionId).isGivenUp(row);
    const offering = holders.filter((id) => forced.others.includes(id));
    return this.#of(ruling.partitionId).isBuried(row) || this.#isHeld(row, offering);
  }

  /** I6: whoever is promoted has what was acknowledged as backed up. An operator may have known better. */
  failedOver(
    old: Entry,
    { ruling: { partitionId, owner, epoch: at }, holders }: Entry,
    isClaim = false,
  ): void {
    this.#behind.add(partitionId);
    const acked = this.#changing(partitionId);
    if (!owner) return;
    const { members } = this.#world.coordinator.disk.view;
    const isMember = (id: NodeId): boolean => members.some(({ nodeId }) => nodeId === id);
    // By a claim, or since everybody who had it all was evicted.
    const had = completeAt(old);
    const isGiven = isClaim ? !had.includes(owner) : !had.some(isMember);
    const isForced = isGiven && old.lost !== owner;
    if (isForced) {
      const others = holders.filter((id) => id !== owner);
      const leaving = new Set(holders.filter((id) => this.#wasStruck(partitionId, id)));
      this.#forced.set(partitionId, { at, others, leaving });
    }
    const isThere = (row: Row): boolean => this.#hasToStay(partitionId, owner, row);
    for (const key of acked.keys()) {
      const row = acked.backedUp(key);
      if (isForced) acked.giveUp(key, isThere);
      else if (row && !this.#world.graves.has(owner)) this.#isAtHeir(row, owner);
      acked.beginAnew(key, isThere);
    }
  }

  #isAtHeir(row: Row, heir: NodeId): void {
    this.#judge.count("I6");
    this.#world.counts["backed up rows judged at a failover"]++;
    if (!has(this.#world, heir, row))
      this.#judge.fail("I6", `${heir} is promoted and lacks ${show(row)}, acked by backups`);
  }

  /** I5. What a struck node still offers the owner may have got too late to pass on: it is offered to the next. */
  moved(partitionId: PartitionId, owner: NodeId): void {
    // It was destroyed when it had all; whoever takes its place is judged then.
    if (this.#world.graves.has(owner)) return;
    const entry = this.#world.coordinator.disk.entries.get(partitionId);
    const offering = entry && this.#behind.has(partitionId) ? strays(entry) : [];
    const due: Row[] = [];
    const acked = this.#changing(partitionId);
    for (const key of acked.keys()) {
      const row = acked.due(key);
      if (row && !has(this.#world, owner, row) && this.#isHeld(row, offering))
        acked.beginAnew(key, (other) => has(this.#world, owner, other));
      else if (row) due.push(row);
    }
    moveAtomicity(this.#judge, this.#world, { partitionId, owner }, due);
  }

  /** What has been forgotten of it, nobody need have. */
  forgot(key: string): void {
    this.#changing(this.#partitionOf(key));
  }

  afterStep(): void {
    this.#judged.afterStep(this.#acked.keys(), (partitionId, judge) => {
      const acked = this.#of(partitionId);
      if (this.#behind.has(partitionId)) this.#catchUp(partitionId, acked);
      for (const key of acked.keys()) {
        const [row, due] = [acked.greatest(key), acked.due(key)];
        if (row) noLostAck(judge, this.#world, row);
        if (due) noResurrection(judge, this.#world, due);
      }
    });
  }

  #catchUp(partitionId: PartitionId, acked: Acked): void {
    const isOver = this.#isOver(partitionId);
    for (const key of acked.keys())
      if (isOver) acked.demand(key);
      else acked.catchUp(key, (row) => this.#isAtOwner(row));
    if (!isOver) return;
    this.#behind.delete(partitionId);
    // Who has acknowledged it may have been destroyed since, and its word be on the way for longer than all this took.
    if (this.#forced.delete(partitionId)) acked.giveUpBuried();
  }

  /** Nobody is left who could offer anything, and its copies are compared with the owner. */
  #isOver(partitionId: PartitionId): boolean {
    const { coordinator, nodes } = this.#world;
    const entry = coordinator.disk.entries.get(partitionId);
    if (!entry?.ruling.owner || strays(entry).length > 0) return false;
    const known = nodes.get(entry.ruling.owner)?.disk.partitions.get(partitionId);
    if (known?.role.type !== "owner" || known.ruling.epoch < entry.ruling.epoch) return false;
    return known.role.copies.every(({ state, digest }) => state === "copying" || digest !== "");
  }

  /** A node and all that it held are gone for ever. */
  bury(id: NodeId): void {
    const { nodes, coordinator } = this.#world;
    const rows = nodes.get(id)?.rows;
    for (const entry of coordinator.disk.entries.values())
      if (rows && entry.holders.includes(id)) this.#mourn(entry, { id, rows });
  }

  /** Also who has heard nothing of it yet: what it was sent before may come in time to be dropped. */
  #wasStruck(partitionId: PartitionId, id: NodeId): boolean {
    const known = this.#world.nodes.get(id)?.disk.partitions.get(partitionId);
    const struckAt = this.#struck.get(partitionId)?.get(id) ?? 0;
    return known?.role.type === "struck" || (known?.ruling.epoch ?? 0) < struckAt;
  }

  /** Who is struck before anybody knows that the owner is gone drops what it has of it. */
  struck(entry: Entry): void {
    const { owner, partitionId, epoch } = entry.ruling;
    const struck = this.#struck.get(partitionId) ?? new Map<NodeId, Epoch>();
    this.#struck.set(partitionId, struck);
    if (owner) for (const id of strays(entry)) struck.set(id, epoch);
    const grave = owner && this.#world.graves.get(owner);
    if (grave) this.#mourn(entry, { id: owner, rows: grave.rows });
  }

  /**
   * What was acknowledged and was nowhere else is lost; of an owner also what is at no other complete copy. As backed
   * up it is elsewhere as long as the coordinator lists another complete copy.
   */
  #mourn(entry: Entry, { id, rows }: { readonly id: NodeId; readonly rows: RowStore }): void {
    const { partitionId, owner } = entry.ruling;
    const complete = this.#thereOf(completeAt(entry)).filter((other) => other !== id);
    const holders = this.#thereOf(entry.holders).filter((other) => other !== id);
    // Whom it waits for was owner to the last, and told those who offered what it had taken.
    const last = owner ?? entry.lost;
    const isOrphan = last === id || (last !== null && this.#world.graves.has(last));
    // Not at who offers it: the owner may have taken it, and who offered it hears so and lets it go.
    const others = isOrphan ? complete : holders;
    const acked = this.#changing(partitionId);
    // Also of what nobody was told of yet: the answer may be on its way.
    for (const { row: stored } of rows.page(partitionId, null, EVERYTHING).rows) {
      const key = identityKey(stored);
      const isElsewhere = (row: Row): boolean =>
        compareRows(row, stored) > 0 || this.#isKept(entry, row, others);
      const backedUp = acked.backedUp(key);
      if (backedUp && complete.length > 0 && !isElsewhere(backedUp))
        this.#judge.fail("I6", `only ${id} has ${show(backedUp)}, acked by backups`);
      const gone = acked.bury(key, stored, isElsewhere);
      this.#world.counts["writes lost with a node"] += gone.length;
    }
  }

  /** Who is destroyed can be owner of nothing. */
  #thereOf(ids: readonly NodeId[]): readonly NodeId[] {
    return ids.filter((id) => this.#world.nodes.has(id));
  }

  #isHeld(row: Row, holders: readonly NodeId[]): boolean {
    return holders.some((id) => has(this.#world, id, row));
  }

  #isAtOwner(row: Row): boolean {
    const { owner, partitionId } = entryOf(this.#world, row.key)?.ruling ?? {};
    return !!owner && partitionId !== undefined && this.#hasToStay(partitionId, owner, row);
  }

  #isKept({ ruling: { partitionId } }: Entry, row: Row, holders: readonly NodeId[]): boolean {
    return holders.some((id) => this.#hasToStay(partitionId, id, row));
  }

  /**
   * What is lost with a node is there again: at an owner of which no move closes, so that the next one gets all that it has,
   * or at all who may be owner next. What an owner takes after that it tells nobody of before the target has it, too.
   */
  #isBack(entry: Entry, row: Row): boolean {
    const { owner, partitionId } = entry.ruling;
    const role = owner && this.#world.nodes.get(owner)?.disk.partitions.get(partitionId)?.role;
    const isOpen = role && role.type === "owner" && !isClosing(role);
    const there = isOpen ? [owner] : this.#thereOf(completeAt(entry));
    return there.length > 0 && there.every((id) => this.#hasToStay(partitionId, id, row));
  }

  #hasToStay(partitionId: PartitionId, id: NodeId, row: Row): boolean {
    return !this.#mayDrop(partitionId, id) && has(this.#world, id, row);
  }

  /** What an owner of before had of it, too. */
  #mayDrop(partitionId: PartitionId, id: NodeId): boolean {
    const forced = this.#forced.get(partitionId);
    const known = this.#world.nodes.get(id)?.disk.partitions.get(partitionId);
    return !!forced?.leaving.has(id) && (known?.ruling.epoch ?? 0) < forced.at;
  }

  #of(partitionId: PartitionId): Acked {
    const acked = this.#acked.get(partitionId) ?? new Acked();
    this.#acked.set(partitionId, acked);
    return acked;
  }

  #changing(partitionId: PartitionId): Acked {
    this.#judged.forget(partitionId);
    return this.#of(partitionId);
  }

  #partitionOf(key: string): PartitionId {
    return partitionOf(key, this.#world.options.config.partitionCount);
  }

  /** In the end nothing is owed to anybody. */
  atEnd(): void {
    for (const partitionId of this.#behind)
      this.#judge.fail("I6", `the owner of ${partitionId} was never made equal to its copies`);
  }
}
