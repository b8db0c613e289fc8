import { DurableObject } from "cloudflare:workers";
import { configOf } from "./config-of.ts";
import { coordinator } from "../core/coordinator/coordinator.ts";
import { coordinatorDocuments, coordinatorFromDocuments } from "../core/coordinator/documents.ts";
import {
  wakeCoordinator,
  type CoordinatorEffect,
  type CoordinatorEvent,
  type CoordinatorState,
} from "../core/coordinator/state.ts";
import { drive } from "../core/machine/drive.ts";
import { Term } from "../data/ids.ts";
import { decodeEnvelope, encodeEnvelope } from "../protocol/codec.ts";
import type { ClusterMessage, Envelope, Sender } from "../protocol/cluster-messages.ts";
import { PROTOCOL_VERSION } from "../protocol/version.ts";
import { ClusterId } from "../data/ids.ts";
import { call, Calls } from "./door.ts";
import { DurableHost } from "./durable-host.ts";
import type { Env } from "./env.ts";
import { Pace } from "./pace.ts";

/** Turns what Cloudflare calls into events, and effects into Cloudflare calls. Decides nothing. */
export class CoordinatorObject extends DurableObject<Env> {
  readonly #calls = new Calls();
  readonly #pace = new Pace();
  readonly #config = configOf(this.env);
  readonly #host = new DurableHost<CoordinatorState, CoordinatorEvent, CoordinatorEffect>(
    this.ctx.storage,
    {
      wake: (documents) =>
        wakeCoordinator(this.#config, coordinatorFromDocuments(documents, this.#config)),
      documents: (state) => coordinatorDocuments(state.saved),
      store: () => undefined,
      perform: (effect) => this.#perform(effect),
    },
  );
  #started = false;

  async deliver(bytes: Uint8Array): Promise<Uint8Array> {
    const envelope = decodeEnvelope(bytes);
    if (!envelope.ok) return this.#seal({ type: "ERROR", error: envelope.error });
    const { call: id, answer } = this.#calls.open();
    this.#onEnvelope(envelope.value, id);
    return this.#seal(await answer);
  }

  override alarm(): void {
    this.#host.rang();
    this.#drive({ type: "woke", ...moment() });
  }

  #onEnvelope({ clusterId, from, term, message }: Envelope, id: number | null): void {
    this.#drive({ type: "message", clusterId, from, term, message, call: id, ...moment() });
  }

  #drive(event: CoordinatorEvent): void {
    if (!this.#started) {
      this.#started = true;
      drive(coordinator, this.#host, { type: "started", ...moment() });
    }
    drive(coordinator, this.#host, event);
  }

  #perform(effect: CoordinatorEffect): void {
    if (effect.type === "answer") return this.#calls.answer(effect.call, effect.message);
    this.ctx.waitUntil(this.#send(effect.to, effect.message));
  }

  async #send(to: Sender, message: ClusterMessage): Promise<void> {
    await this.#pace.turn();
    const answer = await call(this.env, { ...this.#self(), from: "coordinator" }, to, message);
    if (answer) this.#onEnvelope(answer, null);
    else this.#drive({ type: "undelivered", to, message, ...moment() });
  }

  #self(): { clusterId: ClusterId; term: Term } {
    const { cluster } = this.#host.load().saved;
    return { clusterId: cluster?.clusterId ?? ClusterId("none"), term: cluster?.term ?? Term(0) };
  }

  #seal(message: ClusterMessage): Uint8Array {
    return encodeEnvelope({
      ...this.#self(),
      version: PROTOCOL_VERSION,
      from: "coordinator",
      message,
    });
  }
}

const moment = (): { now: number; random: number } => ({ now: Date.now(), random: Math.random() });
