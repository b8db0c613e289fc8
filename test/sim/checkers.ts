/**
 * The invariants, one checker each, named as in the catalogue. Every checker counts how often it judged
 * something that could have been wrong, and a run of seeds in which one never did fails.
 */
import type { CoordinatorSaved, Entry } from "../../src/core/coordinator/state.ts";
import { coordinatorWakeAt } from "../../src/core/coordinator/pursue.ts";
import type { NodeSaved, Role } from "../../src/core/node/state.ts";
import { tickAt, wakeAt } from "../../src/core/node/wake-at.ts";
import { compareStamps, type Stamp } from "../../src/data/hlc.ts";
import type { NodeId, PartitionId, Term } from "../../src/data/ids.ts";
import type { MembersView } from "../../src/data/members.ts";
import { compareRows, type Row } from "../../src/data/row.ts";
import type { Ruling } from "../../src/data/ruling.ts";
import type { Ack } from "../../src/protocol/client-messages.ts";
import type { Changes } from "../../src/protocol/subscription-messages.ts";
import type { ClusterMessage } from "../../src/protocol/cluster-messages.ts";
import type { Frame, HeardMap, SimClient } from "./client.ts";
import { differs, lacks } from "./follow-checker.ts";
import type { Subscriber } from "./subscriber.ts";
import { Durability } from "./durability.ts";
import { MapChecker, unheard } from "./map-checker.ts";
import { SpokenChecker } from "./spoken-checker.ts";
import {
  activeKnowsItsView,
  coordinatorMonotone,
  copiesNeverDrop,
  entryOf,
  forgets,
  joiningOwnsNothing,
  monotone,
  nodeMonotone,
  notTooManyMoves,
  oneOwner,
  ownersOf,
  same,
  servesItsOwn,
  settled,
  show,
} from "./predicates.ts";
import { rowsOfOp } from "./set-tally.ts";
import { ReignChecker } from "./reign-checker.ts";
import type { World } from "./world.ts";

export const INVARIANTS = [
  "I1",
  "I2",
  "I3",
  "I4",
  "I5",
  "I6",
  "I7",
  "I8",
  "I9",
  "I10",
  "I12",
  "I13",
  "I14",
  "I15",
  "I16",
  "I17",
  "R-read",
  "R-later-write",
  "R-parallel",
  "R-collect",
  "R-set",
  "R-count",
  "R-client",
  "R-view",
] as const;
export type Invariant = (typeof INVARIANTS)[number];

export class Violation extends Error {
  override readonly name = "Violation";
  readonly invariant: Invariant;
  constructor(invariant: Invariant, message: string) {
    super(`${invariant} violated: ${message}`);
    this.invariant = invariant;
  }
}

export class Checkers {
  readonly evaluated = new Map<Invariant, number>(INVARIANTS.map((id) => [id, 0]));
  readonly durability: Durability;
  readonly #ruled = new Map<string, Ruling>();
  readonly #tables = new Map<number, string>();
  readonly #views = new Map<number, string>();
  readonly forgotten = new Map<string, Row>();
  /** How often each partition has changed its owner. */
  readonly #reigns = new Map<PartitionId, number>();
  /** The newest write of each key that may make it invisible, answered or not. */
  readonly #gone = new Map<string, Stamp>();
  readonly #maps = new MapChecker();
  readonly #spoken = new SpokenChecker();
  readonly #reign: ReignChecker;
  /** When each partition had an owner for the first time. */
  formedAt: number | null = null;
  readonly failovers = new Map<PartitionId, number>();
  /** Until when the owner of a partition, `<partition>@<node>`, knew of a copy that counts. */
  readonly #backed = new Map<string, number>();
  /** Partitions and epochs at which an owner has asked to be freed from a copy. */
  readonly #freed = new Set<string>();
  /** What the operator has asked for that may be done now: what arrives, and what has waited. */
  #orders = 0;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    this.#reign = new ReignChecker(world);
    this.durability = new Durability(world, this);
  }

  heardBy(event: Parameters<ReignChecker["heard"]>[0], life: number): void {
    this.#reign.heard(event, life);
  }
  /** What arrives at the coordinator now. */
  force(message: ClusterMessage | null): void {
    this.#reign.arriving = message;
  }
  obeyed(term: Term, before: NodeSaved, after: NodeSaved): void {
    this.#reign.obeyed(term, before, after);
  }

  /** `client`: as it counts. */
  acked(client: string, { ops, ack, begunAt }: Frame, { exceptions }: Ack): void {
    const refused = new Set(
      exceptions.filter(({ result }) => result.type === "refused").map(({ index }) => index),
    );
    for (const [index, op] of ops.entries()) {
      if (refused.has(index)) continue;
      const rows: readonly Row[] = op.type
        ? rowsOfOp(op, client)
        : [{ ...op, kind: "lww", sub: "" }];
      for (const row of rows) {
        this.stored(row);
        if (ack === "backup") this.#atBackups(row, begunAt);
      }
    }
  }

  /** I6: there are nodes that it is backed up at. */
  #atBackups(row: Row, begunAt: number): void {
    const entry = entryOf(this.#world, row.key);
    if (!entry) return;
    this.durability.backedUp(row);
    const { partitionId } = entry.ruling;
    const owners = [...this.#backed].filter(([at]) => at.startsWith(`${partitionId}@`));
    if (owners.every(([, until]) => until < begunAt))
      this.fail("I6", `${show(row)} is acked by backups that never were`);
  }

  /** What the coordinator hears, which it may put off. */
  asks(message: ClusterMessage): void {
    if (ORDERS.has(message.type)) this.#orders++;
    if (message.type === "STRIKE_COPY") this.#freed.add(`${message.partitionId}@${message.epoch}`);
  }

  removes(id: NodeId, partitionId: PartitionId, row: Row): void {
    const by = forgets(this, this.#world, { id, partitionId, row });
    const before = this.forgotten.get(row.key);
    if (!before || compareRows(row, before) > 0) this.forgotten.set(row.key, row);
    this.durability.forgot(row.key);
    this.#world.counts[`rows collected by ${by === "owner" ? "owners" : "copies"}`]++;
  }

  stored(row: Row): void {
    this.durability.stored(row);
    if (row.kind === "lww") this.sent(row);
  }

  sent({ key, stamp, value, expiresAt }: Pick<Row, "key" | "stamp" | "value" | "expiresAt">): void {
    if (value !== null && expiresAt === null) return;
    const before = this.#gone.get(key);
    if (!before || compareStamps(stamp, before) > 0) this.#gone.set(key, stamp);
  }

  /** Deleted or expired, or somebody tried to. */
  mayBeGone({ key, stamp }: Pick<Row, "key" | "stamp">): boolean {
    const gone = this.#gone.get(key);
    return gone !== undefined && compareStamps(gone, stamp) >= 0;
  }

  #failOver(partitionId: PartitionId, old: Entry, entry: Entry): void {
    this.durability.failedOver(old, entry, this.#reign.isClaim);
    if (old.ruling.owner !== null && this.#reign.isClaim)
      this.#world.counts["claimed from an owner"]++;
    // Who is evicted is no holder any more.
    const isMissed = old.ruling.owner === null && old.lost && entry.holders.includes(old.lost);
    if (isMissed && this.#reign.isForced) this.#world.counts.claimed++;
    this.failovers.set(partitionId, (this.failovers.get(partitionId) ?? 0) + 1);
    this.#world.counts.failovers++;
  }

  reignOf(partitionId: PartitionId): number {
    return this.#reigns.get(partitionId) ?? 0;
  }

  afterStep(): void {
    this.#reign.afterStep();
    const { parked = [] } = this.#world.coordinator.state?.memory ?? {};
    this.#orders = parked.filter(({ message }) => ORDERS.has(message.message.type)).length;
    this.durability.afterStep();
  }

  coordinatorCommitted(before: CoordinatorSaved, after: CoordinatorSaved): void {
    coordinatorMonotone(this, before, after);
    this.#reign.committed(before, after);
    this.#same("view", this.#views, after.view.version, JSON.stringify(after.view.members));
    const dead = ({ view }: CoordinatorSaved): number =>
      view.members.filter(({ state }) => state === "dead").length;
    if ((after.cluster?.term ?? 0) > (before.cluster?.term ?? 0)) this.#world.counts.terms++;
    this.#world.counts.deaths += Math.max(0, dead(after) - dead(before));
    if (before.entries !== after.entries) this.#entriesCommitted(before, after);
    this.#world.counts.evicted += before.view.members.filter(
      ({ nodeId }) =>
        this.#world.faults.isDestroyed(nodeId) &&
        after.view.members.every((member) => member.nodeId !== nodeId),
    ).length;
    this.#maps.committed(after);
    this.#spoken.saved(before, after);
    activeKnowsItsView(this, this.#world);
  }

  #entriesCommitted(before: CoordinatorSaved, after: CoordinatorSaved): void {
    for (const [partitionId, entry] of after.entries) {
      const old = before.entries.get(partitionId);
      if (old === entry) continue;
      monotone(this, `epoch of ${partitionId}`, old?.ruling.epoch, entry.ruling.epoch);
      this.#oneOwner(entry.ruling);
      this.#world.callers.ledger.ruled(old?.ruling, entry.ruling);
      const { owner } = entry.ruling;
      if (owner !== old?.ruling.owner) this.#reigns.set(partitionId, this.reignOf(partitionId) + 1);
      if (old && owner !== old.ruling.owner)
        if (owner && entry.move?.phase === "finalizing") this.durability.moved(partitionId, owner);
        else this.#failOver(partitionId, old, entry);
      this.durability.struck(entry);
      const stateOf = (id: NodeId): string | undefined =>
        after.view.members.find((m) => m.nodeId === id)?.state;
      if (
        old &&
        copiesNeverDrop(this, old, entry, {
          isFreed: this.#reign.isClaim || this.#freed.has(`${partitionId}@${old.ruling.epoch}`),
          isLost: (id) => ["dead", undefined].includes(stateOf(id)),
          isReplanned: this.#orders > 1,
          isInDoubt: [before, after].every(({ view }) => isSuspect(view, old.ruling.owner)),
        })
      )
        this.#world.counts["copies struck for silence"]++;
      joiningOwnsNothing(this, after, entry);
      if (entry.move && !old?.move) this.#world.counts.retried += entry.move.attempt > 1 ? 1 : 0;
    }
    if (after.entries.size > 0 && [...after.entries.values()].every((e) => e.ruling.epoch > 0))
      this.formedAt ??= this.#world.schedule.now;
    notTooManyMoves(this, after, this.#world.options.config.maxParallelMigrations);
    this.#same("table", this.#tables, after.cluster?.tableVersion ?? 0, ownersOf(after));
    const { counts } = this.#world;
    for (const [slot, report] of after.finished) {
      if (before.finished.get(slot) === report || !report.outcome) continue;
      counts[report.outcome]++;
      if (report.purpose === "backup" && report.outcome === "completed")
        counts["backups completed"]++;
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

  followed(it: Subscriber, message: Changes): void {
    const { counts } = this.#world;
    counts["changes told to subscribers"]++;
    for (const { kind } of message.parts.flatMap(({ rows }) => rows))
      if (kind !== "lww") counts["rows of sets and counters told to subscribers"]++;
    const objection = lacks(this.#world, it, message, () => this.count("I17"));
    if (objection) this.fail("I17", objection);
  }

  nodeCommitted(id: NodeId, before: NodeSaved, after: NodeSaved): void {
    const { counts } = this.#world;
    if (after.self.drained > before.self.drained) counts["nodes drained"]++;
    nodeMonotone(this, id, before, after);
    const unsaved = this.#spoken.objection(before, after, () => this.count("I12"));
    if (unsaved) this.fail("I12", `${id} heard that ${unsaved}`);
    if (before.partitions === after.partitions) return;
    for (const [partitionId, now] of after.partitions) {
      const old = before.partitions.get(partitionId);
      if (old === now) continue;
      monotone(this, `epoch of ${partitionId} at ${id}`, old?.ruling.epoch, now.ruling.epoch);
      this.#oneOwner(now.ruling);
      const until = isBacked(now.role) ? Infinity : this.#world.schedule.now;
      if (isBacked(old?.role) || until === Infinity)
        this.#backed.set(`${partitionId}@${id}`, until);
      servesItsOwn(this, id, now);
    }
  }

  #oneOwner(ruling: Ruling): void {
    const { partitionId, epoch, owner } = ruling;
    if (owner === null) return;
    const name = `${partitionId}@${epoch}`;
    const known = this.#ruled.get(name);
    if (known) oneOwner(this, known, ruling);
    this.#ruled.set(name, ruling);
  }

  #same(what: string, known: Map<number, string>, version: number, contents: string): void {
    const before = known.get(version);
    if (before !== undefined) same(this, `${what} ${version}`, before, contents);
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
    this.durability.atEnd();
    for (const said of coordinator.state?.memory.repair?.nodes.values() ?? [])
      this.#world.counts["partitions repaired"] += said?.figures.differing ?? 0;
    for (const client of clients)
      if (client.waiting > 0) this.fail("I8", `${client.id} was never answered: ${client.waiting}`);
    for (const { id, map, heard } of clients) {
      if (heard === "delta") this.#world.counts.endedByDelta++;
      const objection = unheard(map, coordinator.disk);
      if (objection) this.fail("I16", `${id} ends with ${objection}`);
    }
    this.#world.sdks.atEnd();
    for (const it of this.#world.subscribers.all) {
      const objection = differs(this.#world, it);
      if (objection) this.fail("I17", objection);
    }
    for (const [id, { state }] of nodes)
      if (state && (wakeAt(state) !== null || tickAt(state) !== null))
        this.fail("I8", `${id} stays awake`);
    if (coordinator.state && coordinatorWakeAt(coordinator.state) !== null)
      this.fail("I8", "the coordinator stays awake");
  }

  count(id: Invariant, times = 1): void {
    this.evaluated.set(id, (this.evaluated.get(id) ?? 0) + times);
  }

  fail(id: Invariant, message: string): never {
    throw new Violation(id, message);
  }
}

const isSuspect = ({ members }: MembersView, id: NodeId | null): boolean =>
  members.some(({ nodeId, state }) => nodeId === id && state === "suspect");

const isBacked = (role: Role | undefined): boolean =>
  role?.type === "owner" && role.copies.some(({ state }) => state === "complete");

/** What an operator asks for that changes a plan. */
const ORDERS: ReadonlySet<ClusterMessage["type"]> = new Set<ClusterMessage["type"]>([
  "ADD_NODES",
  "LEAVE_REQUEST",
  "DRAIN_NODE",
  "MOVE_PARTITION",
  "CANCEL_MOVE",
  "REBALANCE",
]);
