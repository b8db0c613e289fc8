/**
 * The invariants, one checker each, named as in the catalogue. Every checker counts how often it judged
 * something that could have been wrong, and a run of seeds in which one never did fails.
 */
import type { CoordinatorSaved } from "../../src/core/coordinator/state.ts";
import { coordinatorWakeAt } from "../../src/core/coordinator/pursue.ts";
import type { NodeSaved } from "../../src/core/node/state.ts";
import { wakeAt } from "../../src/core/node/wake-at.ts";
import { compareStamps, type Stamp } from "../../src/data/hlc.ts";
import type { NodeId, PartitionId } from "../../src/data/ids.ts";
import { compareRows, type Row } from "../../src/data/row.ts";
import type { Ruling } from "../../src/data/ruling.ts";
import type { Ack } from "../../src/protocol/client-messages.ts";
import type { HeardMap, SimClient } from "./client.ts";
import { MapChecker, unheard } from "./map-checker.ts";
import {
  activeKnowsItsView,
  coordinatorMonotone,
  entryOf,
  joiningOwnsNothing,
  monotone,
  moveAtomicity,
  nodeMonotone,
  noLostAck,
  noResurrection,
  notTooManyMoves,
  servesItsOwn,
  settled,
} from "./predicates.ts";
import type { World } from "./world.ts";

export const INVARIANTS = [
  "I2",
  "I4",
  "I5",
  "I6",
  "I7",
  "I8",
  "I10",
  "I12",
  "I14",
  "I16",
  "R-read",
  "R-later-write",
  "R-parallel",
] as const;
export type Invariant = (typeof INVARIANTS)[number];

class Violation extends Error {
  readonly invariant: Invariant;
  constructor(invariant: Invariant, message: string) {
    super(`${invariant} violated: ${message}`);
    this.invariant = invariant;
  }
}

export class Checkers {
  readonly evaluated = new Map<Invariant, number>(INVARIANTS.map((id) => [id, 0]));
  /** When the partitions got their first owners. */
  formedAt: number | null = null;
  /** The greatest row of each key that somebody was told is durable. */
  readonly #acked = new Map<string, Row>();
  readonly #owners = new Map<string, NodeId>();
  readonly #tables = new Map<number, string>();
  readonly #views = new Map<number, string>();
  /** How often each partition has changed its owner. */
  readonly #reigns = new Map<PartitionId, number>();
  /** The newest write of each key that may make it invisible, answered or not. */
  readonly #gone = new Map<string, Stamp>();
  readonly #maps = new MapChecker();
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  acked(client: SimClient, { seq, exceptions }: Ack): void {
    const refused = new Set(
      exceptions.filter(({ result }) => result.type === "refused").map(({ index }) => index),
    );
    for (const [index, op] of (client.outbox.get(seq)?.ops ?? []).entries()) {
      if (refused.has(index)) continue;
      this.stored({ ...op, kind: "lww", sub: "" });
    }
  }

  stored(row: Row): void {
    const before = this.#acked.get(row.key);
    if (!before || compareRows(row, before) > 0) this.#acked.set(row.key, row);
    this.sent(row);
  }

  sent({ key, stamp, value, expiresAt }: Pick<Row, "key" | "stamp" | "value" | "expiresAt">): void {
    if (value !== null && expiresAt === null) return;
    const before = this.#gone.get(key);
    if (!before || compareStamps(stamp, before) > 0) this.#gone.set(key, stamp);
  }

  acknowledged(key: string): Row | undefined {
    return this.#acked.get(key);
  }

  /** Deleted or expired, or somebody tried to. */
  mayBeGone({ key, stamp }: Row): boolean {
    const gone = this.#gone.get(key);
    return gone !== undefined && compareStamps(gone, stamp) >= 0;
  }

  reignOf(partitionId: PartitionId): number {
    return this.#reigns.get(partitionId) ?? 0;
  }

  afterStep(): void {
    for (const row of this.#acked.values()) {
      noLostAck(this, this.#world, row);
      noResurrection(this, this.#world, row);
    }
  }

  coordinatorCommitted(before: CoordinatorSaved, after: CoordinatorSaved): void {
    if (before.entries.size === 0 && after.entries.size > 0)
      this.formedAt ??= this.#world.schedule.now;
    coordinatorMonotone(this, before, after);
    this.#same("view", this.#views, after.view.version, JSON.stringify(after.view.members));
    if (before.entries !== after.entries) this.#entriesCommitted(before, after);
    this.#maps.committed(after);
    activeKnowsItsView(this, this.#world);
  }

  #entriesCommitted(before: CoordinatorSaved, after: CoordinatorSaved): void {
    for (const [partitionId, entry] of after.entries) {
      const old = before.entries.get(partitionId);
      if (old === entry) continue;
      monotone(this, `epoch of ${partitionId}`, old?.ruling.epoch, entry.ruling.epoch);
      this.#oneOwner(entry.ruling);
      const { owner } = entry.ruling;
      if (owner !== old?.ruling.owner) this.#reigns.set(partitionId, this.reignOf(partitionId) + 1);
      if (old?.ruling.owner && owner && owner !== old.ruling.owner)
        moveAtomicity(this, this.#world, { partitionId, owner }, this.#acked.values());
      joiningOwnsNothing(this, after, entry);
      if (entry.move && !old?.move) this.#world.counts.retried += entry.move.attempt > 1 ? 1 : 0;
    }
    notTooManyMoves(this, after, this.#world.options.config.maxParallelMigrations);
    const owners = [...after.entries.values()].map((e) => `${e.ruling.epoch}:${e.ruling.owner}`);
    this.#same("table", this.#tables, after.cluster?.tableVersion ?? 0, owners.join());
    const { counts } = this.#world;
    for (const [slot, report] of after.finished) {
      if (before.finished.get(slot) === report || !report.outcome) continue;
      counts[report.outcome]++;
    }
  }

  /** I16: true at its version, and whatever it is sent builds on what it has. */
  heardMap(client: SimClient, heard: HeardMap): void {
    if (heard === "gap") this.#world.counts.gaps++;
    if (heard === "gap" && !client.lossy) this.fail("I16", `${client.id} was sent a gap`);
    if (heard === "delta") this.count("I16");
    const objection = client.map && this.#maps.objection(client.map);
    if (objection) this.fail("I16", `the map of ${client.id}: ${objection}`);
  }

  nodeCommitted(id: NodeId, before: NodeSaved, after: NodeSaved): void {
    nodeMonotone(this, id, before, after);
    const members = this.#views.get(after.view.version);
    if (members !== undefined)
      this.#same(
        `view at ${id}`,
        this.#views,
        after.view.version,
        JSON.stringify(after.view.members),
      );
    this.#maps.viewed(after.view);
    if (before.partitions === after.partitions) return;
    for (const [partitionId, now] of after.partitions) {
      const old = before.partitions.get(partitionId);
      if (old === now) continue;
      monotone(this, `epoch of ${partitionId} at ${id}`, old?.ruling.epoch, now.ruling.epoch);
      this.#oneOwner(now.ruling);
      servesItsOwn(this, id, now);
    }
  }

  /** I2: whoever speaks of an epoch of a partition names the same owner. */
  #oneOwner({ partitionId, epoch, owner }: Ruling): void {
    if (owner === null) return;
    const name = `${partitionId}@${epoch}`;
    const known = this.#owners.get(name);
    if (known !== undefined) this.count("I2");
    if (known !== undefined && known !== owner) this.fail("I2", `${name}: ${known} and ${owner}`);
    this.#owners.set(name, owner);
  }

  #same(what: string, known: Map<number, string>, version: number, contents: string): void {
    const before = known.get(version);
    if (before !== undefined) this.count("I12");
    if (before !== undefined && before !== contents)
      this.fail("I12", `${what} ${version}: ${before} and ${contents}`);
    known.set(version, contents);
  }

  phaseOf(key: string): string {
    const entry = entryOf(this.#world, key);
    const owner = entry?.ruling.owner;
    const role =
      owner && this.#world.nodes.get(owner)?.disk.partitions.get(entry.ruling.partitionId)?.role;
    if (entry?.move?.phase === "finalizing") return "finalizing";
    return role && role.type === "owner" ? (role.move?.phase ?? "quiet") : "unheard";
  }

  /** Faults are long over: everything is decided, served, forgotten and asleep. */
  atEnd(): void {
    const { coordinator, nodes, clients } = this.#world;
    settled(this, this.#world);
    for (const client of clients)
      if (client.outbox.size > 0)
        this.fail("I8", `${client.id} was never answered: ${client.outbox.size}`);
    for (const { id, map, heard } of clients) {
      if (heard === "delta") this.#world.counts.endedByDelta++;
      const objection = unheard(map, coordinator.disk);
      if (objection) this.fail("I16", `${id} ends with ${objection}`);
    }
    for (const [id, { state }] of nodes)
      if (state && wakeAt(state) !== null) this.fail("I8", `${id} stays awake`);
    if (coordinator.state && coordinatorWakeAt(coordinator.state) !== null)
      this.fail("I8", "the coordinator stays awake");
  }

  count(id: Invariant): void {
    this.evaluated.set(id, (this.evaluated.get(id) ?? 0) + 1);
  }

  fail(id: Invariant, message: string): never {
    throw new Violation(id, message);
  }
}
