import type { FaultOrders, FaultReport } from "./faults.ts";

/** What every object offers to the others. */
interface Door {
  deliver(envelope: Uint8Array): Promise<Uint8Array>;
  /** No orders: only says what is ordered. Null: nothing can be, `GODWIT_FAULTS` is not set. */
  faults(orders: FaultOrders | null): Promise<FaultReport | null>;
  /** Does not return, or null as above. */
  kill(): Promise<null>;
}

/** Bindings of the Worker and its objects, as in `wrangler.toml`. */
export interface Env {
  readonly NODES: DurableObjectNamespace<Door & Rpc.DurableObjectBranded>;
  readonly COORDINATOR: DurableObjectNamespace<Door & Rpc.DurableObjectBranded>;
  /** First size of a new cluster. */
  readonly GODWIT_NODES?: string;
  /** `fast`: failures are noticed within 3 s. */
  readonly GODWIT_PRESET?: string;
  /** Partitions of a new cluster, fixed from then on. */
  readonly GODWIT_PARTITIONS?: string;
  /** Copies of each partition beside its owner, 0 to 5. */
  readonly GODWIT_BACKUPS?: string;
  /** "1": a test may order faults (`faults.ts`). Never set where anybody else can ask. */
  readonly GODWIT_FAULTS?: string;
}
