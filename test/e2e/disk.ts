/** What the objects of a persisted cluster have saved, read from outside while they run or after. */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Cluster, Entry } from "../../src/core/coordinator/state.ts";
import type { PartitionSaved, Self } from "../../src/core/node/state.ts";
import type { MemberInfo, MembersView } from "../../src/data/members.ts";

/** How far a move is: of the states of coordinator and owner that are saved, the one furthest on. */
export type Phase = "none" | "starting" | "copying" | "counts" | "closing" | "ready" | "finalizing";

export interface SavedMove {
  /** Null: none runs. */
  readonly migrationId: string | null;
  readonly phase: Phase;
}

type Documents = ReadonlyMap<string, unknown>;

const COORDINATOR = "CoordinatorObject";
const NODE = "NodeObject";

/** How long an object may keep its own file to itself. */
const BUSY_MS = 5_000;

export class Disk {
  readonly folder: string;
  constructor(folder: string) {
    this.folder = folder;
  }

  move(partitionId: number): SavedMove {
    const [path = ""] = this.#files(COORDINATOR);
    const entry = documentsOf(path).get(`entry/${partitionId}`) as Entry | undefined;
    if (!entry?.move) return { migrationId: null, phase: "none" };
    const { migrationId, phase, source, target } = entry.move;
    if (phase === "finalizing") return { migrationId, phase };
    const partition = documentsOf(this.#fileOf(source)).get(`partition/${partitionId}`);
    const role = (partition as PartitionSaved | undefined)?.role;
    if (role?.type !== "owner" || role.move?.migrationId !== migrationId)
      return { migrationId, phase: "starting" };
    const copy = role.copies.find(({ nodeId }) => nodeId === target);
    const counts = role.move.phase === "copying" && copy?.state === "counts";
    return { migrationId, phase: counts ? "counts" : role.move.phase };
  }

  /** What the coordinator has decided of a node; undefined: nothing, it is no member. */
  member(nodeId: string): MemberInfo | undefined {
    const [path = ""] = this.#files(COORDINATOR);
    const view = documentsOf(path).get("view") as MembersView | undefined;
    return view?.members.find((member) => member.nodeId === nodeId);
  }

  /** What the coordinator has decided of a partition. */
  entry(partitionId: number): Entry {
    const [path = ""] = this.#files(COORDINATOR);
    return documentsOf(path).get(`entry/${partitionId}`) as Entry;
  }

  /** Counts reigns. */
  term(): number {
    const [path = ""] = this.#files(COORDINATOR);
    return (documentsOf(path).get("cluster") as Cluster).term;
  }

  /** How many moves the coordinator has running. */
  moves(): number {
    const [path = ""] = this.#files(COORDINATOR);
    const entries = [...documentsOf(path)].filter(([name]) => name.startsWith("entry/"));
    return entries.filter(([, entry]) => (entry as Entry).move !== null).length;
  }

  /** Whether this node has a table of rows for the partition. */
  hasTable(node: string, partitionId: number): boolean {
    const statement = `SELECT name FROM sqlite_master WHERE name = 'p${partitionId}'`;
    return all(this.#fileOf(node), statement).length > 0;
  }

  /** How many tables of rows the nodes of this cluster have, all together. */
  tables(cluster: string): number {
    const files = this.#files(NODE).filter(
      (path) => (documentsOf(path).get("self") as Self | undefined)?.clusterId === cluster,
    );
    if (files.length === 0) throw new Error(`${cluster} has no nodes`);
    const statement = "SELECT name FROM sqlite_master WHERE name GLOB 'p[0-9]*'";
    return files.reduce((sum, path) => sum + all(path, statement).length, 0);
  }

  /** Whether this node has a row with that key, in whichever map. */
  hasRow(node: string, partitionId: number, key: string): boolean {
    if (!this.hasTable(node, partitionId)) return false;
    const statement = `SELECT 1 FROM p${partitionId} WHERE key = ?`;
    return all(this.#fileOf(node), statement, key).length > 0;
  }

  /** Takes the row from the node's disk behind its back: whatever it remembers is wrong from then on. */
  loseRow(node: string, partitionId: number, key: string): void {
    const db = new DatabaseSync(this.#fileOf(node), { timeout: BUSY_MS });
    try {
      db.prepare(`DELETE FROM p${partitionId} WHERE key = ?`).run(key);
    } finally {
      db.close();
    }
  }

  destroy(node: string): void {
    const path = this.#fileOf(node);
    for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
  }

  /** How many objects have an alarm set. */
  alarms(): number {
    const counts = [COORDINATOR, NODE].map((name) => {
      const path = join(this.#folderOf(name), "metadata.sqlite");
      return all<{ n: number }>(path, "SELECT count(*) AS n FROM _cf_ALARM")[0]?.n ?? 0;
    });
    return counts.reduce((sum, n) => sum + n, 0);
  }

  /** Until released, nothing that this object writes gets to its disk: it is reset where it tries. */
  hold(who: string): () => void {
    const db = new DatabaseSync(this.#fileOf(who), { timeout: BUSY_MS });
    db.exec("BEGIN IMMEDIATE");
    return () => db.close();
  }

  #fileOf(who: string): string {
    const files = who === "coordinator" ? this.#files(COORDINATOR) : this.#files(NODE);
    const found = files.find(
      (path) =>
        who === "coordinator" ||
        (documentsOf(path).get("self") as Self | undefined)?.nodeId === who,
    );
    if (found === undefined) throw new Error(`${who} has saved nothing`);
    return found;
  }

  #files(name: string): string[] {
    const folder = this.#folderOf(name);
    if (!existsSync(folder)) throw new Error(`no objects in ${folder}`);
    const files = readdirSync(folder).filter((file) => /^[0-9a-f]{64}\.sqlite$/.test(file));
    return files.map((file) => join(folder, file));
  }

  #folderOf(name: string): string {
    return join(this.folder, "do", `godwit-${name}`);
  }
}

function documentsOf(path: string): Documents {
  const rows = all<{ name: string; value: string }>(path, "SELECT name, value FROM documents");
  return new Map(rows.map(({ name, value }): [string, unknown] => [name, JSON.parse(value)]));
}

function all<Row>(path: string, statement: string, ...bound: string[]): readonly Row[] {
  const db = new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS });
  try {
    return db.prepare(statement).all(...bound) as Row[];
  } finally {
    db.close();
  }
}
