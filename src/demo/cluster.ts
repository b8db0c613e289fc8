/** The cluster over HTTP: what is ordered of it, and what it says of itself. */
import * as v from "valibot";

const PLAN = v.array(v.object({ partitionId: v.number() }));
const PLANNED = v.object({ plan: PLAN });
const ADDED = v.object({ nodes: v.array(v.string()), plan: PLAN });

const CLUSTER = v.object({
  members: v.array(v.object({ nodeId: v.string(), state: v.string() })),
  migrations: v.object({
    running: v.number(),
    queued: v.number(),
    completed: v.number(),
    failed: v.number(),
  }),
});

const MIGRATIONS = v.object({
  running: v.array(v.unknown()),
  queued: v.array(v.unknown()),
  finished: v.array(
    v.object({
      migrationId: v.nullable(v.string()),
      purpose: v.string(),
      rows: v.nullable(v.number()),
      bytes: v.nullable(v.number()),
      outcome: v.nullable(v.string()),
    }),
  ),
});

const MAP = v.object({
  partitionCount: v.number(),
  partitions: v.array(v.object({ partitionId: v.number(), ownerNodeId: v.nullable(v.string()) })),
});

export type Added = v.InferOutput<typeof ADDED>;
export type Planned = v.InferOutput<typeof PLANNED>;
export type ClusterState = v.InferOutput<typeof CLUSTER>;
export type Migrations = v.InferOutput<typeof MIGRATIONS>;

export class Cluster {
  readonly #base: URL;

  constructor(base: URL) {
    this.#base = base;
  }

  async add(count: number): Promise<Added> {
    return this.#call(ADDED, "POST", "/v1/cluster/nodes", { count });
  }

  /** Graceful: it hands everything over, then goes. */
  async remove(nodeId: string): Promise<Planned> {
    return this.#call(PLANNED, "DELETE", `/v1/cluster/nodes/${nodeId}`);
  }

  async state(): Promise<ClusterState> {
    return this.#call(CLUSTER, "GET", "/v1/cluster");
  }

  async migrations(): Promise<Migrations> {
    return this.#call(MIGRATIONS, "GET", "/v1/cluster/migrations");
  }

  /** The owner of each partition, by partition id. */
  async owners(): Promise<readonly (string | null)[]> {
    const { partitionCount, partitions } = await this.#call(MAP, "GET", "/v1/map");
    const owners = new Map(partitions.map((p) => [p.partitionId, p.ownerNodeId]));
    return Array.from({ length: partitionCount }, (_, id) => owners.get(id) ?? null);
  }

  async #call<T>(
    schema: v.GenericSchema<unknown, T>,
    method: string,
    path: string,
    body?: object,
  ): Promise<T> {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    const response = await fetch(new URL(path, this.#base), init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return v.parse(schema, JSON.parse(text));
  }
}
