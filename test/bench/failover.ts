/** Nodes killed one after the other beside writers: how long their partitions are out, and what is lost. */
import { partitionOf } from "../../src/data/hash.ts";
import type { PartitionMapPayload } from "../../src/data/members.ts";
import { Api } from "../e2e/api.ts";
import { Elsewhere } from "../e2e/elsewhere.ts";
import { pause } from "../e2e/writer.ts";
import { quantile } from "./stats.ts";
import { put, SteadyWriters } from "./steady-writers.ts";
import { json, keysWhere, type Grid } from "./worlds.ts";

const POLL_MS = 20;
const PROBE_EVERY_MS = 100;
const OUT_MS_MAX = 60_000;
/** Acknowledged before each kill, by each kind of writer, of partitions that the victim owns. */
const ACKED_MIN = 20;

/** Milliseconds since the kill. */
interface Outage {
  /** The coordinator has asked in vain. */
  readonly suspect: number;
  /** Given up. */
  readonly dead: number;
  /** The map names another owner of each of its partitions. */
  readonly ruled: number;
  /** Each of them has acknowledged a write. */
  readonly writable: number;
}

export interface FailoverFigures {
  readonly kills: number;
  readonly partitions: number;
  readonly p50: Outage;
  readonly p99: Outage;
  readonly acked: number;
  readonly lostAtBackup: number;
  readonly lostAtOwner: number;
}

/**
 * Each kill is of one node at random: silent from then on, also when it is woken, until all it owned is served by
 * others and what was acknowledged by backups is read back by another process. Then it comes back, and what its
 * owner alone had acknowledged is read back, too.
 */
export async function failingOver(grid: Grid, kills: number): Promise<FailoverFigures> {
  const run = new Run(grid);
  const outages: Outage[] = [];
  for (let kill = 0; kill < kills; kill++) outages.push(await run.kill(kill));
  const figures = await run.end();
  const at = (p: number): Outage => {
    const of = (what: keyof Outage): number =>
      quantile(
        outages.map((outage) => outage[what]),
        p,
      );
    const [suspect, dead, ruled] = [of("suspect"), of("dead"), of("ruled")];
    return { suspect, dead, ruled, writable: of("writable") };
  };
  return { kills, partitions: grid.owners.size, p50: at(0.5), p99: at(0.99), ...figures };
}

class Run {
  readonly #grid: Grid;
  readonly #nodes: readonly string[];
  readonly #elsewhere = new Elsewhere();
  readonly #sure: SteadyWriters;
  readonly #quick: SteadyWriters;
  #lostAtBackup = 0;

  constructor(grid: Grid) {
    this.#grid = grid;
    this.#nodes = [...new Set(grid.owners.values())].toSorted();
    this.#sure = new SteadyWriters(grid.url, "sure-0", "backup");
    this.#quick = new SteadyWriters(grid.url, "quick-0", "owner");
  }

  async kill(n: number): Promise<Outage> {
    const { url } = this.#grid;
    await settled(url, this.#nodes);
    const victim = this.#nodes[Math.floor(Math.random() * this.#nodes.length)] ?? "";
    const owned = new Set(await ownedBy(url, victim));
    for (const writers of [this.#sure, this.#quick])
      while (this.#ackedIn(writers, n, owned) < ACKED_MIN) await pause(POLL_MS);
    const outage = await outageOf(url, victim, [...owned]);
    this.#lostAtBackup += await this.#missing(this.#sure, `sure-${n}`);
    this.#sure.changeMap(`sure-${n + 1}`);
    this.#quick.changeMap(`quick-${n + 1}`);
    await json(new URL(`/v1/faults/${victim}`, url), "PUT", {});
    return outage;
  }

  #ackedIn({ acked }: SteadyWriters, n: number, owned: ReadonlySet<number>): number {
    const maps = [...acked].filter(([map]) => map.endsWith(`-${n}`));
    const keys = maps.flatMap(([, set]) => [...set]);
    return keys.filter((key) => owned.has(partitionOf(key, this.#grid.owners.size))).length;
  }

  /** Everything that was ever acknowledged is read once more, when all are back. */
  async end(): Promise<Pick<FailoverFigures, "acked" | "lostAtBackup" | "lostAtOwner">> {
    await Promise.all([this.#sure.stop(), this.#quick.stop()]);
    await settled(this.#grid.url, this.#nodes);
    let lostAtOwner = 0;
    for (const map of this.#quick.acked.keys())
      lostAtOwner += await this.#missing(this.#quick, map);
    for (const map of this.#sure.acked.keys())
      this.#lostAtBackup += await this.#missing(this.#sure, map);
    this.#elsewhere.stop();
    const acked = this.#sure.count + this.#quick.count;
    return { acked, lostAtBackup: this.#lostAtBackup, lostAtOwner };
  }

  async #missing({ acked }: SteadyWriters, map: string): Promise<number> {
    const claimed = [...(acked.get(map) ?? [])];
    const stored = await this.#elsewhere.entries(this.#grid.url, map);
    const missing = claimed.filter((key) => !stored.has(key));
    if (missing.length > 0) console.error(`lost of ${map}: ${missing.slice(0, 5).join(", ")}`);
    return missing.length;
  }
}

async function outageOf(url: URL, victim: string, owned: readonly number[]): Promise<Outage> {
  const { partitionCount } = await mapOf(url);
  const keys = owned.map((id) => keysWhere(1, partitionCount, (place) => place === id)[0] ?? "");
  const began = performance.now();
  const since = (): number => Math.round(performance.now() - began);
  await json(new URL(`/v1/faults/${victim}`, url), "DELETE");
  const served = Promise.all(keys.map((key) => servedAgain(url, `/v1/maps/probe/${key}`)));
  const seen: { suspect?: number; dead?: number; ruled?: number } = {};
  while (seen.ruled === undefined && since() < OUT_MS_MAX) {
    const map = await mapOf(url);
    const status = map.nodes.find(({ nodeId }) => nodeId === victim)?.status;
    if (status !== "ACTIVE") seen.suspect ??= since();
    if (status === "FAILED" || status === undefined) seen.dead ??= since();
    const owners = owned.map((id) => map.partitions[id]?.ownerNodeId ?? victim);
    if (owners.every((owner) => owner !== victim)) seen.ruled ??= since();
    await pause(POLL_MS);
  }
  const { suspect, dead, ruled } = seen;
  if (suspect === undefined || dead === undefined || ruled === undefined)
    throw new Error(`${victim} still owns ${owned.join()} after ${OUT_MS_MAX} ms`);
  await served;
  return { suspect, dead, ruled, writable: since() };
}

/** Asked anew while others still wait for their answers, as many clients would. */
async function servedAgain(url: URL, path: string): Promise<void> {
  const served = new AbortController();
  const { signal } = served;
  for (const began = Date.now(); !signal.aborted; await pause(PROBE_EVERY_MS)) {
    if (Date.now() - began > OUT_MS_MAX) throw new Error(`${path} is not served any more`);
    void put(url, path).then((ok) => ok && served.abort());
  }
}

const mapOf = async (url: URL): Promise<PartitionMapPayload> => json(new URL("/v1/map", url));

async function ownedBy(url: URL, node: string): Promise<readonly number[]> {
  const { partitions } = await mapOf(url);
  const owned = partitions.filter(({ ownerNodeId }) => ownerNodeId === node);
  if (owned.length === 0) throw new Error(`${node} owns nothing: to kill it would mean nothing`);
  return owned.map(({ partitionId }) => partitionId);
}

/** All are active, and nothing is to be moved or copied any more. */
async function settled(url: URL, nodes: readonly string[]): Promise<void> {
  const api = new Api(url);
  for (const began = Date.now(); Date.now() - began < OUT_MS_MAX; await pause(200)) {
    const { members, migrations } = await api.cluster();
    const active = members.filter(({ state }) => state === "active").map(({ nodeId }) => nodeId);
    const atRest = migrations.running + migrations.queued === 0;
    if (atRest && active.toSorted().join() === nodes.join()) return;
  }
  throw new Error(`not settled: ${JSON.stringify(await api.cluster())}`);
}
