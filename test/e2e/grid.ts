/** A cluster whose state is on disk, with the faults that a runtime makes: eviction, and sudden death. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startLocal, type Local } from "../../src/cli/local.ts";
import { ClusterId, NodeId } from "../../src/data/ids.ts";
import type { PartitionMapPayload } from "../../src/data/members.ts";
import { nodeName } from "../../src/objects/door.ts";
import type { Fault, FaultReport } from "../../src/objects/faults.ts";
import type { MigrationsReport } from "../../src/protocol/cluster-messages.ts";
import { Api } from "./api.ts";
import { Disk } from "./disk.ts";
import { Elsewhere } from "./elsewhere.ts";
import { pause } from "./writer.ts";

/** As `PUT /v1/faults/:object` takes them. */
interface Orders {
  readonly faults?: readonly (Pick<Fault, "peer"> & Partial<Fault>)[];
  readonly paused?: boolean;
  readonly timeless?: boolean;
  readonly keep?: boolean;
}

interface GridOptions {
  readonly nodes: number;
  readonly partitions: number;
  readonly backups?: number;
  /** Lets `order` and `kill` through. */
  readonly faults?: boolean;
  readonly preset?: "fast";
  /** As `LocalOptions`. */
  readonly assets?: string;
}

export class Grid {
  readonly disk: Disk;
  /** The nodes it begins with. */
  readonly nodes: readonly string[];
  readonly #options: GridOptions;
  #local: Local;
  readonly #elsewhere = new Elsewhere();

  private constructor(folder: string, options: GridOptions, local: Local) {
    this.disk = new Disk(folder);
    this.nodes = Array.from({ length: options.nodes }, (_, i) => `n${i + 1}`);
    this.#options = options;
    this.#local = local;
  }

  static async start(options: GridOptions): Promise<Grid> {
    const folder = mkdtempSync(join(tmpdir(), "godwit-state-"));
    const local = await startLocal({ port: 0, persist: folder, ...options });
    const grid = new Grid(folder, options, local);
    await grid.api.settled(grid.nodes);
    return grid;
  }

  get api(): Api {
    return new Api(this.#local.url);
  }

  async stop(): Promise<void> {
    this.#elsewhere.stop();
    await this.#local.dispose();
    rmSync(this.disk.folder, { recursive: true, force: true });
  }

  /** The process ends, and another one begins with its files. */
  async restart(options: Partial<GridOptions> = {}): Promise<void> {
    await this.#local.dispose();
    const all = { ...this.#options, ...options };
    this.#local = await startLocal({ port: 0, persist: this.disk.folder, ...all });
  }

  /** Nothing is left of the node's storage when the process is there again. */
  async destroy(node: string): Promise<void> {
    await this.#local.dispose();
    this.disk.destroy(node);
    this.#local = await startLocal({ port: 0, persist: this.disk.folder, ...this.#options });
  }

  /** workerd has no time to say goodbye; Miniflare starts another one in its place. */
  kill(): void {
    process.kill(workerd(), "SIGKILL");
  }

  memoryBytes(): number {
    return memoryBytes();
  }

  async answering(): Promise<void> {
    for (const began = Date.now(); Date.now() - began < 20_000; await pause(50)) {
      const up = await this.api.json("GET", "/v1/map").catch(() => null);
      if (up?.status === 200) return;
    }
    throw new Error("workerd has not come back");
  }

  async ownerOf(partitionId: number): Promise<string> {
    const owner = (await this.#owners())[partitionId];
    if (!owner) throw new Error(`partition ${partitionId} has no owner`);
    return owner;
  }

  async ownedBy(node: string): Promise<readonly number[]> {
    return (await this.#owners()).flatMap((owner, id) => (owner === node ? [id] : []));
  }

  /** By partition id. */
  async #owners(): Promise<readonly string[]> {
    const { body } = await this.api.json<PartitionMapPayload>("GET", "/v1/map");
    return body.partitions.map(({ ownerNodeId }) => ownerNodeId ?? "");
  }

  /** Returns when nothing of the partition is left on that node's disk. */
  async dropped(node: string, partitionId: number): Promise<void> {
    for (const began = Date.now(); this.disk.hasTable(node, partitionId); await pause(10))
      if (Date.now() - began > 20_000) throw new Error(`${node} keeps partition ${partitionId}`);
  }

  async migrations(): Promise<MigrationsReport> {
    return (await this.api.json<MigrationsReport>("GET", "/v1/cluster/migrations")).body;
  }

  /**
   * False if it was not in memory. It leaves as soon as nothing is under way in it, and until then this
   * thread stands still.
   */
  async evict(who: string): Promise<boolean> {
    const [className, name] =
      who === "coordinator"
        ? ["CoordinatorObject", "main"]
        : ["NodeObject", nodeName(ClusterId("main"), NodeId(who))];
    try {
      await this.#local.miniflare.unsafeEvictDurableObject("godwit", className, { name });
      return true;
    } catch (error) {
      if (String(error).includes("not currently running")) return false;
      throw error;
    }
  }

  /** Replaces all that was ordered of this object; nothing: it heals. */
  async order(who: string, orders: Orders = {}): Promise<FaultReport> {
    const told = await this.api.json<FaultReport>("PUT", `/v1/faults/${who}`, orders);
    if (told.status !== 200) throw new Error(JSON.stringify(told.body));
    return told.body;
  }

  async met(who: string): Promise<FaultReport["met"]> {
    return (await this.api.json<FaultReport>("GET", `/v1/faults/${who}`)).body.met;
  }

  /** Aborted, and silent also when it is woken, until it is ordered to heal. */
  async killNode(node: string): Promise<void> {
    const { status } = await this.api.json("DELETE", `/v1/faults/${node}`);
    if (status !== 200) throw new Error(`${node} lives`);
  }

  /** All entries of a map, as another process reads them. */
  async readElsewhere(map: string): Promise<Map<string, unknown>> {
    return this.#elsewhere.entries(this.#local.url, map);
  }
}

/** What workerd has in memory. */
export function memoryBytes(): number {
  const status = readFileSync(`/proc/${workerd()}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024;
}

/** The only child of this process that is one. */
function workerd(): number {
  const children = ["pgrep", "-P", String(process.pid), "workerd"];
  const found = execFileSync("/usr/bin/env", children, { encoding: "utf8" });
  const [pid, ...others] = found.trim().split("\n").map(Number);
  if (pid === undefined || others.length > 0) throw new Error(`which workerd? ${found}`);
  return pid;
}

/** Stores `value` under each key, in as many batches as it takes. */
export async function fill(
  api: Api,
  map: string,
  { keys, value }: { readonly keys: readonly string[]; readonly value: string },
): Promise<void> {
  const perBatch = Math.min(900, Math.floor(900_000 / (value.length + 40)));
  for (let at = 0; at < keys.length; at += perBatch) {
    const put = Object.fromEntries(keys.slice(at, at + perBatch).map((key) => [key, value]));
    const { status, body } = await api.json<{ results: object }>("POST", `/v1/maps/${map}`, {
      put,
    });
    const stored = Object.values(status === 200 ? body.results : {}).filter((r) => "ok" in r);
    if (stored.length !== Object.keys(put).length) throw new Error(JSON.stringify(body));
  }
}
