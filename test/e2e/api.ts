/** Calls of the HTTP interface, for tests. */
import { pause } from "./writer.ts";

export interface ClusterBody {
  readonly members: readonly {
    nodeId: string;
    state: string;
    joinVersion: number;
    partitions: { owned: number };
  }[];
  readonly migrations: { running: number; queued: number; completed: number; failed: number };
}

export class Api {
  readonly base: URL;
  constructor(base: URL) {
    this.base = base;
  }

  async json<T>(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: T }> {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    const response = await fetch(new URL(path, this.base), init);
    const text = await response.text();
    return { status: response.status, body: (text === "" ? null : JSON.parse(text)) as T };
  }

  async cluster(): Promise<ClusterBody> {
    return (await this.json<ClusterBody>("GET", "/v1/cluster")).body;
  }

  /** Until nothing moves any more and the members are these. */
  async settled(nodeIds: readonly string[], timeoutMs = 90_000): Promise<ClusterBody> {
    for (const began = Date.now(); ; await pause(200)) {
      const cluster = await this.cluster();
      if (Date.now() - began > timeoutMs)
        throw new Error(`not settled: ${JSON.stringify(cluster)}`);
      if (!("members" in cluster)) continue; // still forming
      const { running, queued } = cluster.migrations;
      const active = cluster.members.filter(({ state }) => state === "active");
      const ids = active.map(({ nodeId }) => nodeId).join();
      if (
        running + queued === 0 &&
        ids === nodeIds.join() &&
        cluster.members.length === active.length
      )
        return cluster;
    }
  }

  entries(map: string): Promise<Map<string, unknown>> {
    return entriesOf((path) => this.json<Page>("GET", path), map);
  }
}

interface Page {
  readonly entries: readonly { key: string; value: unknown }[];
  readonly cursor: string | null;
}

/** Every entry of a map, page by page. */
export async function entriesOf(
  read: (path: string) => Promise<{ readonly status: number; readonly body: Page }>,
  map: string,
): Promise<Map<string, unknown>> {
  const all = new Map<string, unknown>();
  for (let cursor: string | null = ""; cursor !== null;) {
    const at: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const { status, body } = await read(`/v1/maps/${map}?limit=1000${at}`);
    if (status !== 200) throw new Error(JSON.stringify(body));
    for (const { key, value } of body.entries) all.set(key, value);
    ({ cursor } = body);
  }
  return all;
}
