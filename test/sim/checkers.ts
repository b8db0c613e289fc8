/**
 * The invariants, one checker each, named as in the catalogue. Every checker counts how often it judged
 * something that could have been wrong, and a run of seeds in which one never did fails.
 */
import type { CoordinatorSaved } from "../../src/core/coordinator/state.ts";
import { coordinatorWakeAt } from "../../src/core/coordinator/pursue.ts";
import type { NodeSaved } from "../../src/core/node/state.ts";
import { wakeAt } from "../../src/core/node/wake-at.ts";
import { partitionOf } from "../../src/data/hash.ts";
import { compareStamps, type Stamp } from "../../src/data/hlc.ts";
import type { NodeId, PartitionId } from "../../src/data/ids.ts";
import { compareRows, type Row } from "../../src/data/row.ts";
import type { Ruling } from "../../src/data/ruling.ts";
import type { Ack } from "../../src/protocol/client-messages.ts";
import type { HeardMap, SimClient } from "./client.ts";
import { MapChecker, unheard } from "./map-checker.ts";
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
    for (const [key, row] of this.#acked) {
      this.#noLostAck(key, row);
      this.#noResurrection(key, row);
    }
  }

  /** I6: the coordinator lists a node that holds it. */
  #noLostAck(key: string, row: Row): void {
    this.count("I6");
    const entry = this.#entry(key);
    if (!entry?.holders.some((id) => this.#has(id, row)))
      this.fail("I6", `nobody listed holds ${show(row)}; holders ${entry?.holders.join()}`);
  }

  /** I14: an owner that knows it is one never answers with less than what was acknowledged. */
  #noResurrection(key: string, row: Row): void {
    const entry = this.#entry(key);
    const owner = entry?.ruling.owner;
    if (!entry || !owner) return;
    const known = this.#world.nodes.get(owner)?.disk.partitions.get(entry.ruling.partitionId);
    if (known?.role.type !== "owner") return;
    this.count("I14");
    if (!this.#has(owner, row)) this.fail("I14", `owner ${owner} lacks ${show(row)}`);
  }

  #entry(key: string): ReturnType<World["coordinator"]["disk"]["entries"]["get"]> {
    const { coordinator, options } = this.#world;
    return coordinator.disk.entries.get(partitionOf(key, options.config.partitionCount));
  }

  #has(id: NodeId, row: Row): boolean {
    const partitionId = partitionOf(row.key, this.#world.options.config.partitionCount);
    const stored = this.#world.nodes.get(id)?.rows.read(partitionId, [row])[0];
    return stored !== undefined && compareRows(stored.row, row) >= 0;
  }

  coordinatorCommitted(before: CoordinatorSaved, after: CoordinatorSaved): void {
    this.#monotone("coordinator term", before.cluster?.term, after.cluster?.term);
    this.#monotone("table version", before.cluster?.tableVersion, after.cluster?.tableVersion);
    this.#monotone("view version", before.view.version, after.view.version);
    const [had, has] = [before.cluster?.pushed, after.cluster?.pushed];
    this.#monotone("view that all have", had?.view, has?.view);
    this.#monotone("table that all have", had?.table, has?.table);
    this.#same("view", this.#views, after.view.version, JSON.stringify(after.view.members));
    if (before.entries !== after.entries) this.#entriesCommitted(before, after);
    this.#maps.committed(after);
    for (const member of after.view.members) {
      if (member.state !== "active") continue;
      this.count("I10");
      const self = this.#world.nodes.get(member.nodeId)?.disk;
      if (self?.self.membership !== "member" || self.view.version === 0)
        this.fail("I10", `${member.nodeId} is active without view and table`);
    }
  }

  #entriesCommitted(before: CoordinatorSaved, after: CoordinatorSaved): void {
    for (const [partitionId, entry] of after.entries) {
      const old = before.entries.get(partitionId);
      if (old === entry) continue;
      this.#monotone(`epoch of ${partitionId}`, old?.ruling.epoch, entry.ruling.epoch);
      this.#oneOwner(entry.ruling);
      const { owner } = entry.ruling;
      if (owner !== old?.ruling.owner) this.#reigns.set(partitionId, this.reignOf(partitionId) + 1);
      if (old?.ruling.owner && owner && owner !== old.ruling.owner)
        this.#moveAtomicity(partitionId, owner);
      const joining = after.view.members.find((m) => m.nodeId === owner)?.state === "joining";
      if (joining) this.fail("I10", `${owner} owns ${partitionId} while joining`);
      if (entry.move && !old?.move) this.#world.counts.retried += entry.move.attempt > 1 ? 1 : 0;
    }
    this.#notTooMany(after);
    const owners = [...after.entries.values()].map((e) => `${e.ruling.epoch}:${e.ruling.owner}`);
    this.#same("table", this.#tables, after.cluster?.tableVersion ?? 0, owners.join());
    const { counts } = this.#world;
    for (const [slot, report] of after.finished) {
      if (before.finished.get(slot) === report || !report.outcome) continue;
      counts[report.outcome]++;
    }
  }

  /** R-parallel: counted as source and as target. */
  #notTooMany({ entries }: CoordinatorSaved): void {
    const { maxParallelMigrations } = this.#world.options.config;
    const ends = [...entries.values()].flatMap(({ move }) =>
      move ? [move.source, move.target] : [],
    );
    for (const [id, moves] of Map.groupBy(ends, (end) => end)) {
      this.count("R-parallel");
      if (moves.length > maxParallelMigrations)
        this.fail("R-parallel", `${id} takes part in ${moves.length} moves`);
    }
  }

  /** I5: at the ruling the target has every acknowledged write of the partition. */
  #moveAtomicity(partitionId: PartitionId, owner: NodeId): void {
    for (const row of this.#acked.values()) {
      if (partitionOf(row.key, this.#world.options.config.partitionCount) !== partitionId) continue;
      this.count("I5");
      if (!this.#has(owner, row)) this.fail("I5", `target ${owner} lacks ${show(row)}`);
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
    this.#monotone(`term at ${id}`, before.self.term, after.self.term);
    this.#monotone(`table version at ${id}`, before.self.tableVersion, after.self.tableVersion);
    this.#monotone(`view version at ${id}`, before.view.version, after.view.version);
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
      this.#monotone(`epoch of ${partitionId} at ${id}`, old?.ruling.epoch, now.ruling.epoch);
      this.#oneOwner(now.ruling);
      if (now.role.type === "owner" && now.ruling.owner !== id)
        this.fail("I2", `${id} serves ${partitionId}, which ${now.ruling.owner} owns`);
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

  #monotone(what: string, before: number | undefined, after: number | undefined): void {
    if (before === undefined || before === after) return;
    this.count("I4");
    if (after === undefined || after < before) this.fail("I4", `${what}: ${before}, then ${after}`);
  }

  #same(what: string, known: Map<number, string>, version: number, contents: string): void {
    const before = known.get(version);
    if (before !== undefined) this.count("I12");
    if (before !== undefined && before !== contents)
      this.fail("I12", `${what} ${version}: ${before} and ${contents}`);
    known.set(version, contents);
  }

  phaseOf(key: string): string {
    const entry = this.#entry(key);
    const owner = entry?.ruling.owner;
    const role =
      owner && this.#world.nodes.get(owner)?.disk.partitions.get(entry.ruling.partitionId)?.role;
    if (entry?.move?.phase === "finalizing") return "finalizing";
    return role && role.type === "owner" ? (role.move?.phase ?? "quiet") : "unheard";
  }

  /** Faults are long over: everything is decided, served, forgotten and asleep. */
  atEnd(): void {
    const { coordinator, nodes, clients, options } = this.#world;
    const { entries, view } = coordinator.disk;
    this.count("I8");
    if (entries.size !== options.config.partitionCount) this.fail("I8", "the cluster never formed");
    for (const [partitionId, { ruling, move, wanted, holders }] of entries) {
      if (move || wanted !== ruling.owner) this.fail("I8", `partition ${partitionId} still moves`);
      this.count("I7");
      const serving = [...nodes].filter(
        ([, n]) => n.disk.partitions.get(partitionId)?.role.type === "owner",
      );
      if (serving.length !== 1 || serving[0]?.[0] !== ruling.owner)
        this.fail(
          "I7",
          `partition ${partitionId} of ${ruling.owner} is served by ${serving.map(([id]) => id).join()}`,
        );
      if (holders.join() !== ruling.owner)
        this.fail("I7", `holders of ${partitionId}: ${holders.join()}`);
      for (const [id, { disk, rows }] of nodes) {
        const role = disk.partitions.get(partitionId)?.role;
        if (
          role?.type === "copy" ||
          role?.type === "struck" ||
          (role?.type === "owner" && (role.move || role.copies.length))
        )
          this.fail("I7", `${id} keeps a marker of ${partitionId}: ${JSON.stringify(role)}`);
        if (id !== ruling.owner && rows.count(partitionId) > 0)
          this.fail("I7", `${id} keeps rows of ${partitionId}`);
      }
    }
    for (const { nodeId, state } of view.members)
      if (state === "leaving") this.fail("I8", `${nodeId} never left`);
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

const show = ({ key, stamp, value }: Row): string =>
  `${key}=${value ? [...value].join(".") : "deleted"}@${stamp.millis}:${stamp.counter}:${stamp.node}`;
