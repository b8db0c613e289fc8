/** What every object offers to the others. */
interface Door {
  deliver(envelope: Uint8Array): Promise<Uint8Array>;
}

/** Bindings of the Worker and its objects, as in `wrangler.toml`. */
export interface Env {
  readonly NODES: DurableObjectNamespace<Door & Rpc.DurableObjectBranded>;
  readonly COORDINATOR: DurableObjectNamespace<Door & Rpc.DurableObjectBranded>;
  /** First size of a new cluster. */
  readonly GODWIT_NODES?: string;
  /** Partitions of a new cluster, fixed from then on. */
  readonly GODWIT_PARTITIONS?: string;
}
