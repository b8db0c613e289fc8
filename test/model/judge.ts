/** The invariants of the simulation, asked of the states of a model. */
import type { CoordinatorSaved } from "../../src/core/coordinator/state.ts";
import type { NodeSaved } from "../../src/core/node/state.ts";
import { partitionOf } from "../../src/data/hash.ts";
import type { MembersView } from "../../src/data/members.ts";
import type { Key, Told } from "./told.ts";
import { placeOf } from "./letters.ts";
import { strays } from "../../src/core/coordinator/moves.ts";
import type { NodeId, PartitionId, Term } from "../../src/data/ids.ts";
import type { Row } from "../../src/data/row.ts";
import { INVARIANTS, type Invariant } from "../sim/checkers.ts";
import {
  activeKnowsItsView,
  atEveryCopy,
  coordinatorMonotone,
  entryOf,
  joiningOwnsNothing,
  majority,
  monotone,
  moveAtomicity,
  nodeMonotone,
  noLostAck,
  noResurrection,
  notTooManyMoves,
  obeysNoOlder,
  oneOwner,
  sameTable,
  sameView,
  servesItsOwn,
  settled,
  type Cluster,
  type Judge,
} from "../sim/predicates.ts";

export class Objection extends Error {
  readonly invariant: Invariant;
  constructor(invariant: Invariant, message: string) {
    super(message);
    this.invariant = invariant;
  }
}

/** Partition and new owner: at that moment it must have everything. */
export interface Switch {
  readonly partitionId: PartitionId;
  readonly owner: NodeId;
}

/** In which term, and of which members. */
export interface Decision {
  readonly term: Term;
  readonly view: MembersView;
}

/** What a step of the coordinator comes to. */
interface Decided {
  readonly switches: readonly Switch[];
  readonly decided: readonly Decision[];
  readonly inherited: number;
  readonly settled: number;
}

export const NOTHING_DECIDED: Decided = { switches: [], decided: [], inherited: 0, settled: 0 };

export class ModelJudge implements Judge {
  readonly judged = new Map<Invariant, number>(INVARIANTS.map((id) => [id, 0]));
  readonly #movesMax: number;

  constructor(movesMax: number) {
    this.#movesMax = movesMax;
  }

  count(id: Invariant): void {
    this.judged.set(id, (this.judged.get(id) ?? 0) + 1);
  }

  fail(id: Invariant, message: string): never {
    throw new Objection(id, message);
  }

  coordinatorCommitted(before: CoordinatorSaved, after: CoordinatorSaved): Decided {
    coordinatorMonotone(this, before, after);
    sameView(this, before.view, after.view);
    sameTable(this, before, after);
    notTooManyMoves(this, after, this.#movesMax);
    const switches: Switch[] = [];
    let inherited = 0;
    for (const [partitionId, entry] of after.entries) {
      const old = before.entries.get(partitionId);
      const { owner, epoch } = entry.ruling;
      monotone(this, `epoch of ${partitionId}`, old?.ruling.epoch, epoch);
      if (old) oneOwner(this, old.ruling, entry.ruling);
      joiningOwnsNothing(this, after, entry);
      if (!old?.ruling.owner || owner === old.ruling.owner) continue;
      if (entry.move?.phase !== "finalizing") inherited |= 1 << partitionId;
      else if (owner) switches.push({ partitionId, owner });
    }
    const term = after.cluster?.term;
    const isDecision =
      term !== undefined && (before.view !== after.view || before.entries !== after.entries);
    const decided = isDecision ? [{ term, view: before.view }] : [];
    return { ...NOTHING_DECIDED, switches, decided, inherited };
  }

  /** A start is a commit of its own. */
  together(all: readonly Decided[], { entries }: CoordinatorSaved): Decided {
    let alone = 0;
    for (const [partitionId, entry] of entries)
      if (strays(entry).length === 0) alone |= 1 << partitionId;
    return {
      switches: all.flatMap(({ switches }) => switches),
      decided: all.flatMap(({ decided }) => decided),
      inherited: all.reduce((bits, { inherited }) => bits | inherited, 0),
      settled: alone,
    };
  }

  obeyed(term: Term, before: NodeSaved, after: NodeSaved): void {
    obeysNoOlder(this, term, before, after);
  }

  nodeCommitted(id: NodeId, before: NodeSaved, after: NodeSaved): void {
    nodeMonotone(this, id, before, after);
    sameView(this, before.view, after.view);
    for (const [partitionId, now] of after.partitions) {
      const old = before.partitions.get(partitionId)?.ruling;
      monotone(this, `epoch of ${partitionId} at ${id}`, old?.epoch, now.ruling.epoch);
      if (old) oneOwner(this, old, now.ruling);
      servesItsOwn(this, id, now);
    }
  }

  /** Of what everybody has on disk. */
  moment(cluster: Cluster, { rows, backed, keys }: Told, behind: number): void {
    const { partitionCount } = cluster.options.config;
    const isBehind = ({ key }: Pick<Row, "key">): boolean =>
      ((behind >> partitionOf(key, partitionCount)) & 1) === 1;
    if (!isRestored(cluster)) {
      for (const row of rows) noLostAck(this, cluster, row);
      for (const row of backed) atEveryCopy(this, cluster, row);
      for (const row of rows)
        if (backed.has(row) || !isBehind(row)) noResurrection(this, cluster, row);
      for (const key of keys) if (!isBehind(key.row)) stands(this, cluster, key);
    }
    activeKnowsItsView(this, cluster);
    this.#allAgree(cluster);
  }

  switched(cluster: Cluster, change: Switch, { rows }: Told): void {
    moveAtomicity(this, cluster, change, rows);
  }

  /** `fresh`: whom the coordinator has heard lately. */
  decided({ nodes }: Cluster, { term, view }: Decision, fresh: number): void {
    majority(this, view, (nodeId) => {
      const isFresh = (fresh >> placeOf(nodeId)) & 1;
      return isFresh === 1 && nodes.get(nodeId)?.disk.self.term === term;
    });
  }

  #allAgree({ coordinator, nodes }: Cluster): void {
    const { entries, view } = coordinator.disk;
    const all = [...nodes.values()].map(({ disk }) => disk);
    for (const [i, disk] of all.entries()) {
      sameView(this, disk.view, view);
      for (const [partitionId, { ruling }] of disk.partitions) {
        const entry = entries.get(partitionId);
        if (entry) oneOwner(this, entry.ruling, ruling);
        for (const other of all.slice(i + 1)) {
          const theirs = other.partitions.get(partitionId)?.ruling;
          if (theirs) oneOwner(this, theirs, ruling);
        }
      }
    }
  }

  end(cluster: Cluster): void {
    settled(this, cluster);
  }
}

/** R-later-write: an owner that knows it is one has what was acknowledged last, or what is being written. */
function stands(judge: Judge, cluster: Cluster, { row, values }: Key): void {
  const { partitionId, owner } = entryOf(cluster, row.key)?.ruling ?? {};
  if (partitionId === undefined || !owner) return;
  const node = cluster.nodes.get(owner);
  if (node?.disk.partitions.get(partitionId)?.role.type !== "owner") return;
  judge.count("R-later-write");
  const there = node.rows.read(partitionId, [row])[0]?.row.value;
  const isThere = (value: Uint8Array | null): boolean => String(value) === String(there);
  if (!values.some(isThere))
    judge.fail(
      "R-later-write",
      `${row.key} is ${String(there)}, not ${values.map(String).join(" or ")}`,
    );
}

/** Somebody has heard what the coordinator has forgotten, or it waits for all to tell it: it knows so little as yet. */
const isRestored = ({ coordinator, nodes }: Cluster): boolean =>
  (coordinator.disk.cluster?.unheard ?? null) !== null ||
  [...nodes.values()].some(({ disk }) =>
    [...disk.partitions].some(
      ([id, { ruling }]) => ruling.epoch > (coordinator.disk.entries.get(id)?.ruling.epoch ?? 0),
    ),
  );
