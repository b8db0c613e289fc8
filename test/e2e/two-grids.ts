/** Two clusters of one Worker, by name. */
import type { MergeReport } from "../../src/protocol/cluster-messages.ts";
import { entriesOf, type ClusterBody } from "./api.ts";
import type { Grid } from "./grid.ts";
import { pause } from "./writer.ts";

export interface Answer<T = unknown> {
  readonly status: number;
  readonly body: T;
}

interface Report extends ClusterBody {
  readonly clusterId: string;
  readonly merge: MergeReport | null;
}

export interface Refusal {
  readonly error: { readonly code: string };
}

export class Cluster {
  readonly name: string;
  readonly #grid: Grid;

  constructor(grid: Grid, name: string) {
    this.#grid = grid;
    this.name = name;
  }

  ask<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    const to = `${path}${path.includes("?") ? "&" : "?"}cluster=${this.name}`;
    return this.#grid.api.json<T>(method, to, body);
  }

  async report(): Promise<Report> {
    return (await this.ask<Report>("GET", "/v1/cluster")).body;
  }

  merge(other: string): Promise<Answer<Refusal>> {
    return this.ask("POST", "/v1/cluster/merge", { cluster: other });
  }

  /** With so many nodes, and nothing that moves. */
  async settled(nodes: number): Promise<Report> {
    for (const began = Date.now(); ; await pause(100)) {
      const report = await this.report();
      if (Date.now() - began > 60_000)
        throw new Error(`${this.name} does not settle: ${JSON.stringify(report)}`);
      if (!("members" in report)) continue;
      const active = report.members.filter(({ state }) => state === "active");
      const { running, queued } = report.migrations;
      if (running + queued === 0 && active.length === nodes && !report.merge) return report;
    }
  }

  async phase(): Promise<string> {
    return (await this.report()).merge?.phase ?? "none";
  }

  put(map: string, key: string, value: unknown): Promise<Answer> {
    return this.ask("PUT", `/v1/maps/${map}/${key}`, value);
  }
  delete(map: string, key: string): Promise<Answer> {
    return this.ask("DELETE", `/v1/maps/${map}/${key}`);
  }
  /** undefined: there is nothing. */
  async get(map: string, key: string): Promise<unknown> {
    const { status, body } = await this.ask("GET", `/v1/maps/${map}/${key}`);
    if (status !== 200 && status !== 404) throw new Error(JSON.stringify(body));
    return status === 200 ? body : undefined;
  }

  entries(map: string): Promise<Map<string, unknown>> {
    return entriesOf((path) => this.ask("GET", path), map);
  }

  async fill(map: string, entries: Readonly<Record<string, unknown>>): Promise<void> {
    const keys = Object.keys(entries);
    const longest = Math.max(...Object.values(entries).map((value) => String(value).length));
    const perBatch = Math.min(400, Math.floor(900_000 / (longest + 40)));
    for (let at = 0; at < keys.length; at += perBatch) {
      const batch = keys.slice(at, at + perBatch);
      const put = Object.fromEntries(batch.map((key) => [key, entries[key]]));
      const { status, body } = await this.ask<{ results: object }>("POST", `/v1/maps/${map}`, {
        put,
      });
      const stored = Object.values(status === 200 ? body.results : {}).filter((r) => "ok" in r);
      if (stored.length !== Object.keys(put).length) throw new Error(JSON.stringify(body));
    }
  }
}

/** Writes and reads keys of its own, one after the other, and keeps account. */
export class HttpWriter {
  readonly acked = new Map<string, number>();
  readonly failed: unknown[] = [];
  readonly misread: unknown[] = [];
  /** While the clusters were becoming one. */
  during = 0;
  readonly #cluster: Cluster;
  #stop = false;
  #done: Promise<void> | null = null;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  start(isDuring: () => boolean): void {
    this.#done = this.#run(isDuring);
  }
  async stop(): Promise<void> {
    this.#stop = true;
    await this.#done;
  }

  async #run(isDuring: () => boolean): Promise<void> {
    const { name } = this.#cluster;
    for (let n = 0; !this.#stop; n++) {
      const key = `${name}-${n % 200}`;
      const answer = await this.#cluster.put("live", key, n).catch((error: unknown) => error);
      const ok = isAnswer(answer) && answer.status === 200;
      if (ok) this.acked.set(key, n);
      // A process that dies answers nobody.
      else if (isAnswer(answer)) this.failed.push(answer);
      if (isDuring()) this.during++;
      if (!ok || n % 7 > 0) continue;
      const read = await this.#cluster.get("live", key).catch(() => n);
      if (read !== n) this.misread.push({ key, wrote: n, read });
    }
  }
}

const isAnswer = (value: unknown): value is Answer =>
  typeof value === "object" && value !== null && "status" in value;
