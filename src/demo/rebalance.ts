/** One change of the cluster's size, watched until nothing moves any more. */
import type { Cluster, ClusterState, Migrations } from "./cluster.ts";
import type { Crew } from "./crew.ts";
import type { Rebalance, Screen } from "./progress.ts";

const POLL_MS = 100;
const TIMEOUT_MS = 120_000;

export interface Order {
  readonly title: string;
  /** Says how many moves are planned, and who are the members when all is done. */
  readonly give: () => Promise<{ readonly planned: number; readonly members: readonly string[] }>;
  /** The fewest moves that lead there. */
  readonly least: number;
}

interface Stage {
  readonly cluster: Cluster;
  readonly crew: Crew;
  readonly screen: Screen;
}

export async function rebalance(stage: Stage, order: Order): Promise<Rebalance> {
  const { cluster, crew, screen } = stage;
  const seen = new Seen(await cluster.migrations());
  const gaps = [crew.overSockets, crew.overHttp].map((t) => ({ tally: t, from: t.gapsMs.length }));
  const began = performance.now();
  const { planned, members } = await order.give();
  const progress = (moved: number, failed: number): Rebalance => ({
    title: order.title,
    least: order.least,
    planned,
    moved,
    failed,
    rows: seen.rows,
    bytes: seen.bytes,
    ms: performance.now() - began,
    gapMs: Math.max(...gaps.map(({ tally, from }) => tally.longestGapMs(from))),
  });
  while (performance.now() - began < TIMEOUT_MS) {
    seen.look(await cluster.migrations());
    screen.update(progress(seen.completed, seen.failed));
    const state = seen.unfinished === 0 ? await cluster.state() : null;
    if (state && isDone(state, members)) {
      seen.look(await cluster.migrations());
      const done = progress(seen.completed, seen.failed);
      screen.finish(done);
      return done;
    }
    await new Promise((resume) => setTimeout(resume, POLL_MS));
  }
  throw new Error(`${order.title} is not done after ${TIMEOUT_MS / 1_000} s`);
}

function isDone({ members, migrations }: ClusterState, wanted: readonly string[]): boolean {
  const active = members.filter(({ state }) => state === "active").map(({ nodeId }) => nodeId);
  return (
    migrations.running + migrations.queued === 0 &&
    members.length === active.length &&
    active.toSorted().join() === wanted.toSorted().join()
  );
}

/** The cluster tells of its last 100 moves; here they are added up. What is copied to a backup is no move of a partition. */
class Seen {
  rows = 0;
  bytes = 0;
  completed = 0;
  failed = 0;
  unfinished = 0;
  readonly #ids: Set<string | null>;

  constructor({ finished }: Migrations) {
    this.#ids = new Set(finished.map(({ migrationId }) => migrationId));
  }

  look({ running, queued, finished }: Migrations): void {
    this.unfinished = running.length + queued.length;
    for (const { migrationId, purpose, rows, bytes, outcome } of finished) {
      if (this.#ids.has(migrationId)) continue;
      this.#ids.add(migrationId);
      this.rows += rows ?? 0;
      this.bytes += bytes ?? 0;
      if (purpose !== "move") continue;
      if (outcome === "completed") this.completed++;
      else this.failed++;
    }
  }
}

/** What the new nodes must at least get for loads that differ by at most 1. */
export function leastToAdd(partitions: number, nodes: number, added: number): number {
  const low = Math.floor(partitions / (nodes + added));
  const high = Math.ceil(partitions / (nodes + added));
  return Math.max(added * low, partitions - nodes * high);
}
