/**
 * The invariants that can be judged from one moment of a cluster, or from one commit. The checkers of the
 * simulation and the model checker both ask these.
 */
import { isDeepStrictEqual } from "node:util";
import type { Config } from "../../src/core/config.ts";
import type { CoordinatorSaved, Entry } from "../../src/core/coordinator/state.ts";
import { completeAt, tasksOf } from "../../src/core/coordinator/wanted.ts";
import type { NodeSaved, PartitionSaved, Role } from "../../src/core/node/state.ts";
import type { RowStore } from "../../src/core/rows/row-store.ts";
import { partitionOf } from "../../src/data/hash.ts";
import type { NodeId, PartitionId, Term } from "../../src/data/ids.ts";
import type { MembersView } from "../../src/data/members.ts";
import { compareRows, goneSince, type Row } from "../../src/data/row.ts";
import type { Ruling } from "../../src/data/ruling.ts";
import type { Invariant } from "./checkers.ts";

/** What everybody has on disk. */
export interface Cluster {
  readonly options: { readonly config: Config };
  readonly coordinator: { readonly disk: CoordinatorSaved };
  readonly nodes: ReadonlyMap<NodeId, { readonly disk: NodeSaved; readonly rows: RowStore }>;
  /** True time, where it goes by. */
  readonly schedule?: { readonly now: number };
  /** The newest deletion of a key that was removed for good, and whose removal was judged. */
  readonly forgotten?: (key: string) => Row | undefined;
  /** What nodes knew when they were destroyed. */
  readonly graves?: ReadonlyMap<NodeId, { readonly disk: NodeSaved }>;
}

export interface Judge {
  /** Something was judged that could have been wrong. */
  count(id: Invariant): void;
  fail(id: Invariant, message: string): never;
}

/** I6: the coordinator lists a node that holds what was acknowledged. */
export function noLostAck(judge: Judge, cluster: Cluster, row: Row): void {
  judge.count("I6");
  const entry = entryOf(cluster, row.key);
  if (!entry?.holders.some((id) => has(cluster, id, row)))
    judge.fail("I6", `nobody listed holds ${show(row)}; holders ${entry?.holders.join()}`);
}

/** I6: what is acknowledged as backed up is at all nodes that may be owner next. */
export function atEveryCopy(judge: Judge, cluster: Cluster, row: Row): void {
  judge.count("I6");
  const id = copyWithout(cluster, row);
  if (id !== null) judge.fail("I6", `copy ${id} lacks ${show(row)}, acked by backups`);
}

/** A node that may be owner next and has not got it. Who is destroyed can be owner of nothing. */
export function copyWithout(cluster: Cluster, row: Row): NodeId | null {
  const entry = entryOf(cluster, row.key);
  if (!entry) return null;
  const there = completeAt(entry).filter((id) => cluster.nodes.has(id));
  return there.find((id) => !has(cluster, id, row)) ?? null;
}

/** I14: an owner that knows it is one never answers with less than what was acknowledged. */
export function noResurrection(judge: Judge, cluster: Cluster, row: Row): void {
  const entry = entryOf(cluster, row.key);
  const owner = entry?.ruling.owner;
  if (!entry || !owner) return;
  const known = cluster.nodes.get(owner)?.disk.partitions.get(entry.ruling.partitionId);
  if (known?.role.type !== "owner") return;
  judge.count("I14");
  if (!has(cluster, owner, row)) judge.fail("I14", `owner ${owner} lacks ${show(row)}`);
}

/** I5: at the ruling the target has every acknowledged write of the partition. */
export function moveAtomicity(
  judge: Judge,
  cluster: Cluster,
  { partitionId, owner }: { readonly partitionId: PartitionId; readonly owner: NodeId },
  acked: Iterable<Row>,
): void {
  for (const row of acked) {
    if (partitionOf(row.key, cluster.options.config.partitionCount) !== partitionId) continue;
    judge.count("I5");
    if (!has(cluster, owner, row)) judge.fail("I5", `target ${owner} lacks ${show(row)}`);
  }
}

/** I9: a strict majority of the voters, the coordinator included, stands behind what is decided. */
export function majority(
  judge: Judge,
  { members }: MembersView,
  standsBehind: (nodeId: NodeId) => boolean,
): void {
  // Who was given up and joins again still votes.
  const voters = members.filter((m) => m.state !== "joining" || m.incarnation > 1);
  const granted = voters.filter(({ nodeId }) => standsBehind(nodeId));
  if (voters.length > 0) judge.count("I9");
  if (2 * (granted.length + 1) <= voters.length + 1)
    judge.fail("I9", `${granted.length} of ${voters.length} members stand behind a commit`);
}

/** What an owner has collected, it may note at any event, when its time has come. */
function isSame(known: PartitionSaved, before: PartitionSaved | undefined): boolean {
  if (known === before) return true;
  const [now, then] = [known, before].map(
    (it) => it && { ...it, role: { ...it.role, collected: null } },
  );
  return isDeepStrictEqual(now, then);
}

/** I1: what is said in an older term than the node has saved changes nothing. */
export function obeysNoOlder(judge: Judge, term: Term, before: NodeSaved, after: NodeSaved): void {
  if (term >= before.self.term) return;
  judge.count("I1");
  const { self, view, partitions } = after;
  const obeys =
    view !== before.view ||
    [...partitions].some(([id, known]) => !isSame(known, before.partitions.get(id))) ||
    self.membership !== before.self.membership ||
    self.tableVersion !== before.self.tableVersion;
  if (obeys) judge.fail("I1", `${before.self.nodeId} obeys ${term}`);
}

/** I10: who is active has view and table. */
export function activeKnowsItsView(judge: Judge, { coordinator, nodes, graves }: Cluster): void {
  for (const member of coordinator.disk.view.members) {
    if (member.state !== "active") continue;
    judge.count("I10");
    const self = (nodes.get(member.nodeId) ?? graves?.get(member.nodeId))?.disk;
    if (self?.self.membership !== "member" || self.view.version === 0)
      judge.fail("I10", `${member.nodeId} is active without view and table`);
  }
}

/** I10: who is joining owns nothing. */
export function joiningOwnsNothing(judge: Judge, { view }: CoordinatorSaved, entry: Entry): void {
  const { owner, partitionId } = entry.ruling;
  const joining = view.members.find((m) => m.nodeId === owner)?.state === "joining";
  if (joining) judge.fail("I10", `${owner} owns ${partitionId} while joining`);
}

/** R-parallel: counted as source and as target. */
export function notTooManyMoves(judge: Judge, { entries }: CoordinatorSaved, max: number): void {
  const ends = [...entries.values()].flatMap(({ move }) =>
    move ? [move.source, move.target] : [],
  );
  for (const [id, moves] of Map.groupBy(ends, (end) => end)) {
    judge.count("R-parallel");
    if (moves.length > max) judge.fail("R-parallel", `${id} takes part in ${moves.length} moves`);
  }
}

/** I4, of what a coordinator saves beside its entries. */
export function coordinatorMonotone(
  judge: Judge,
  before: CoordinatorSaved,
  after: CoordinatorSaved,
): void {
  monotone(judge, "coordinator term", before.cluster?.term, after.cluster?.term);
  monotone(judge, "table version", before.cluster?.tableVersion, after.cluster?.tableVersion);
  monotone(judge, "view version", before.view.version, after.view.version);
  // A restored coordinator does not know what they were told since.
  if (after.cluster?.unheard && !before.cluster?.unheard) return;
  const [old, now] = [before.cluster?.pushed, after.cluster?.pushed];
  monotone(judge, "view that all have", old?.view, now?.view);
  monotone(judge, "table that all have", old?.table, now?.table);
}

/** I4, of what a node saves beside its partitions. */
export function nodeMonotone(judge: Judge, id: NodeId, before: NodeSaved, after: NodeSaved): void {
  monotone(judge, `term at ${id}`, before.self.term, after.self.term);
  monotone(judge, `table version at ${id}`, before.self.tableVersion, after.self.tableVersion);
  monotone(judge, `view version at ${id}`, before.view.version, after.view.version);
}

export function monotone(
  judge: Judge,
  what: string,
  before: number | undefined,
  after: number | undefined,
): void {
  if (before === undefined || before === after) return;
  judge.count("I4");
  if (after === undefined || after < before) judge.fail("I4", `${what}: ${before}, then ${after}`);
}

/** I2: nobody serves what by its own knowledge another owns. */
export function servesItsOwn(
  judge: Judge,
  id: NodeId,
  { role, ruling }: NonNullable<ReturnType<NodeSaved["partitions"]["get"]>>,
): void {
  if (role.type === "owner" && ruling.owner !== id)
    judge.fail("I2", `${id} serves ${ruling.partitionId}, which ${ruling.owner} owns`);
}

/** I2: whoever speaks of an epoch of a partition names the same owner. */
export function oneOwner(judge: Judge, a: Ruling, b: Ruling): void {
  if (a.epoch !== b.epoch || a.owner === null || b.owner === null) return;
  judge.count("I2");
  if (a.owner !== b.owner)
    judge.fail("I2", `${a.partitionId}@${a.epoch}: ${a.owner} and ${b.owner}`);
}

/** I12 */
export function sameView(judge: Judge, a: MembersView, b: MembersView): void {
  if (a === b || a.version !== b.version) return;
  same(judge, `view ${a.version}`, JSON.stringify(a.members), JSON.stringify(b.members));
}

/** I12, of two tables of the coordinator. */
export function sameTable(judge: Judge, a: CoordinatorSaved, b: CoordinatorSaved): void {
  const version = a.cluster?.tableVersion;
  if (a.entries === b.entries || !version || version !== b.cluster?.tableVersion) return;
  same(judge, `table ${version}`, ownersOf(a), ownersOf(b));
}

export const ownersOf = ({ entries }: CoordinatorSaved): string =>
  [...entries.values()].map(({ ruling }) => `${ruling.epoch}:${ruling.owner}`).join();

export function same(judge: Judge, what: string, before: string, now: string): void {
  judge.count("I12");
  if (before !== now) judge.fail("I12", `${what}: ${before} and ${now}`);
}

/** I7 and I8: everything is decided, served and forgotten. */
export function settled(judge: Judge, cluster: Cluster): void {
  const { entries, view } = cluster.coordinator.disk;
  judge.count("I8");
  if (entries.size !== cluster.options.config.partitionCount)
    judge.fail("I8", "the cluster never formed");
  for (const entry of entries.values()) {
    const { ruling, move, wantedBackups } = entry;
    const { partitionId, copies } = ruling;
    if (move || tasksOf(entry).length > 0) judge.fail("I8", `partition ${partitionId} still moves`);
    const active = view.members.filter(({ state }) => state === "active").length;
    const wanted = Math.min(cluster.options.config.backupCount, active - 1);
    if (copies.length !== wanted || wantedBackups.length !== wanted)
      judge.fail("I8", `partition ${partitionId} has ${copies.length} of ${wanted} copies`);
    nothingLeft(judge, cluster, entry);
  }
  for (const { nodeId, state } of view.members)
    if (state === "leaving") judge.fail("I8", `${nodeId} never left`);
}

function nothingLeft(judge: Judge, { nodes }: Cluster, entry: Entry): void {
  const { ruling, holders } = entry;
  const { partitionId, owner } = ruling;
  judge.count("I7");
  const serving = [...nodes].filter(
    ([, { disk }]) => disk.partitions.get(partitionId)?.role.type === "owner",
  );
  if (serving.length !== 1 || serving[0]?.[0] !== owner) {
    const ids = serving.map(([id]) => id).join();
    judge.fail("I7", `partition ${partitionId} of ${owner} is served by ${ids}`);
  }
  if (holders.toSorted().join() !== completeAt(entry).toSorted().join())
    judge.fail("I7", `holders of ${partitionId}: ${holders.join()}`);
  const owning = owner ? nodes.get(owner)?.rows : undefined;
  for (const [id, { disk, rows }] of nodes) {
    const role = disk.partitions.get(partitionId)?.role;
    const isCopy = ruling.copies.some(({ nodeId }) => nodeId === id);
    if (role && isMarker(role, isCopy))
      judge.fail("I7", `${id} keeps a marker of ${partitionId}: ${JSON.stringify(role)}`);
    if (id !== owner && !isCopy && rows.countFrom(partitionId, null, 1).rows > 0)
      judge.fail("I7", `${id} keeps rows of ${partitionId}`);
    if (isCopy && owning) sameRows(judge, { partitionId, id }, [rows, owning]);
  }
}

/** What does not belong to an owner at rest, or to a copy that is complete. */
function isMarker(role: Role, isCopy: boolean): boolean {
  if (role.type === "copy") return !isCopy || role.state !== "complete";
  if (role.type !== "owner") return role.type === "struck";
  const unsettled = role.copies.some(({ state, digest }) => state !== "complete" || digest === "");
  return role.move !== null || unsettled;
}

/** I8: a backup has what its owner has. */
function sameRows(
  judge: Judge,
  { partitionId, id }: { readonly partitionId: PartitionId; readonly id: NodeId },
  stores: readonly RowStore[],
): void {
  const [mine, theirs] = stores.map((store) =>
    store
      .page(partitionId, null, EVERYTHING)
      .rows.map(({ row }) => show(row))
      .join(" "),
  );
  if (mine !== theirs)
    judge.fail("I8", `copy ${id} of ${partitionId} has ${mine}, its owner has ${theirs}`);
}

interface Losses {
  readonly isFreed: boolean;
  readonly isLost: (id: NodeId) => boolean;
  /** Its owner does not answer. */
  readonly isInDoubt: boolean;
  /** There was another plan between the two: several orders were carried out in one commit. */
  readonly isReplanned: boolean;
}

/**
 * I15: of as many complete copies as the plan wants none goes, unless its owner asks to be freed from it, or its
 * node is given up. Says if its owner asked.
 */
export function copiesNeverDrop(
  judge: Judge,
  old: Entry,
  entry: Entry,
  { isFreed, isLost, isInDoubt, isReplanned }: Losses,
): boolean {
  const { partitionId } = entry.ruling;
  // Whoever is complete may have to take over in a moment.
  if (isInDoubt && entry.ruling.owner === old.ruling.owner)
    for (const id of completeAt(old))
      if (!isLost(id) && !completeAt(entry).includes(id))
        judge.fail("I15", `partition ${partitionId} of a silent owner loses its copy at ${id}`);
  const had = completeAt(old).filter((id) => !isLost(id)).length;
  const left = completeAt(entry).length;
  // What went by the old plan went before the new one was made, of two events that share a commit.
  const wanted = Math.min(old.wantedBackups.length, entry.wantedBackups.length);
  if (wanted > 0) judge.count("I15");
  if (left >= Math.min(had, 1 + wanted)) return false;
  if (!isFreed && !isReplanned)
    judge.fail("I15", `partition ${partitionId} has ${left} complete copies left of ${had}`);
  return true;
}

export function entryOf({ coordinator, options }: Cluster, key: string): Entry | undefined {
  return coordinator.disk.entries.get(partitionOf(key, options.config.partitionCount));
}

/** Or had what has deleted it, which is forgotten now. */
export function has(cluster: Cluster, id: NodeId, row: Row): boolean {
  const gone = cluster.forgotten?.(row.key);
  const stands = storedAt(cluster, id, row) ?? gone;
  return stands !== undefined && compareRows(stands, row) >= 0;
}

function storedAt({ nodes, options }: Cluster, id: NodeId, row: Row): Row | undefined {
  const partitionId = partitionOf(row.key, options.config.partitionCount);
  return nodes.get(id)?.rows.read(partitionId, [row])[0]?.row;
}

/** By every clock, and no write from before can be on its way any more. */
function isLongGone({ schedule, options }: Cluster, row: Row): boolean {
  const { tombstoneRetentionMs, forwardTimeoutMs, maxClockSkewMs } = options.config;
  const since = goneSince(row);
  if (!schedule || since === null) return false;
  return since < schedule.now - tombstoneRetentionMs - 2 * forwardTimeoutMs - maxClockSkewMs;
}

/** R-collect: nobody who is listed holds what was deleted, and an owner is the first to forget. */
export function forgets(
  judge: Judge,
  cluster: Cluster,
  { id, partitionId, row }: { id: NodeId; partitionId: PartitionId; row: Row },
): "owner" | "copy" {
  judge.count("R-collect");
  const { coordinator, nodes } = cluster;
  if (!isLongGone(cluster, row)) judge.fail("R-collect", `${id} forgets ${show(row)} too early`);
  for (const holder of coordinator.disk.entries.get(partitionId)?.holders ?? []) {
    const theirs = storedAt(cluster, holder, row);
    if (theirs && compareRows(theirs, row) < 0)
      judge.fail("R-collect", `${id} forgets ${show(row)}, but ${holder} has ${show(theirs)}`);
  }
  const known = nodes.get(id)?.disk.partitions.get(partitionId);
  if (known?.role.type === "owner") return "owner";
  // It may have it again by now, from another copy that had not heard so: then it sends it again.
  const first = cluster.forgotten?.(row.key);
  if (!first || compareRows(first, row) < 0)
    judge.fail("R-collect", `copy ${id} forgets ${show(row)}, which no owner has forgotten`);
  return "copy";
}

export const EVERYTHING = { rowsMax: 100_000, bytesMax: 100_000_000 };

export const show = ({ key, stamp, value }: Row): string =>
  `${key}=${value ? [...value].join(".") : "deleted"}@${stamp.millis}:${stamp.counter}:${stamp.node}`;
