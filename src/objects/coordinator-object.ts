import { coordinator } from "../core/coordinator/coordinator.ts";
import { coordinatorDocuments, coordinatorFromDocuments } from "../core/coordinator/documents.ts";
import {
  wakeCoordinator,
  type CoordinatorEffect,
  type CoordinatorEvent,
  type CoordinatorSaved,
  type CoordinatorState,
} from "../core/coordinator/state.ts";
import { ClusterId, Term } from "../data/ids.ts";
import { ClusterObject, moment } from "./cluster-object.ts";
import { configOf } from "./config-of.ts";
import type { Address } from "./door.ts";
import { DurableHost } from "./durable-host.ts";

/** Turns what Cloudflare calls into events, and effects into Cloudflare calls. Decides nothing. */
export class CoordinatorObject extends ClusterObject<
  CoordinatorState,
  CoordinatorEvent,
  CoordinatorEffect,
  CoordinatorSaved
> {
  protected readonly machine = coordinator;
  readonly #config = configOf(this.env);
  protected readonly host = new DurableHost<
    CoordinatorState,
    CoordinatorEvent,
    CoordinatorEffect,
    CoordinatorSaved
  >(this.ctx.storage, {
    wake: (documents) =>
      wakeCoordinator(this.#config, coordinatorFromDocuments(documents, this.#config)),
    saved: (state) => state.saved,
    documents: coordinatorDocuments,
    store: () => undefined,
    perform: (effect) => this.speak(effect),
    wakeUp: () => this.wakeUp(),
  });

  protected started(): CoordinatorEvent {
    return { type: "started", ...moment() };
  }

  protected address(): Address {
    const { cluster } = this.host.load().saved;
    const { clusterId, term } = cluster ?? { clusterId: ClusterId("none"), term: Term(0) };
    return { clusterId, term, from: "coordinator" };
  }
}
