/**
 * Drives the machine of one client: one event at a time, what is asked for meanwhile after it, and all that is asked for in one go
 * in the same frames. It decides nothing; whoever hosts it has the sockets, the timer, time and chance.
 */
import { clientMachine } from "./machine/client.ts";
import {
  beginClient,
  isAsking,
  type Client,
  type ClientEffect,
  type ClientEvent,
  type Settings,
} from "./machine/client-state.ts";
import type { Moment, Said } from "./machine/session.ts";

export interface DriverPort {
  readonly moment: () => Moment;
  readonly perform: (effect: ClientEffect) => void;
  /** As a microtask: before anything else happens. */
  readonly soon: (run: () => void) => void;
  /** `woke` is due then, and at no other time; null: never. `now`: by the same clock. */
  readonly wakeAt: (at: number | null, now: number) => void;
}

export class Driver {
  client: Client;
  readonly #port: DriverPort;
  readonly #events: Said<ClientEvent>[] = [];
  #stepping = false;
  #flushing = false;

  constructor(settings: Settings, port: DriverPort) {
    this.client = beginClient(settings);
    this.#port = port;
  }

  do(event: Said<ClientEvent>): void {
    this.#events.push(event);
    if (this.#stepping) return;
    this.#stepping = true;
    for (let next = this.#events.shift(); next; next = this.#events.shift()) this.#step(next);
    this.#stepping = false;
  }

  #step(event: Said<ClientEvent>): void {
    const moment = this.#port.moment();
    const [client, effects] = clientMachine.step(this.client, { ...event, ...moment });
    this.client = client;
    for (const effect of effects) this.#port.perform(effect);
    if (isAsking(event)) this.#flushSoon();
    else this.#port.wakeAt(clientMachine.wakeAt(client), moment.now);
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    this.#port.soon(() => {
      this.#flushing = false;
      this.do({ type: "flush" });
    });
  }
}
