/** Where subscriptions are opened and actors are called: what they need is loaded with the first. */
import type { Caller } from "./caller.ts";
import type { Desk } from "./desk.ts";
import { loaded } from "./errors.ts";
import type { Host } from "./host.ts";
import type { Hub } from "./hub.ts";
import type { Listener, LiveView } from "./live-view.ts";
import type { Of } from "./machine/ask.ts";
import type { GivenOptions, SubscribeOptions } from "./subscribed.ts";
import type { View } from "./view.ts";

export class Loader {
  /** null: nobody has subscribed. */
  hub: Hub | null = null;
  readonly #host: Host;
  readonly #desk: Desk;
  #caller: Promise<Caller> | null = null;

  constructor(host: Host, desk: Desk) {
    this.#host = host;
    this.#desk = desk;
  }

  /** Rejects with a GridError. What is returned throws one where it is no query. */
  async opening(
    map: string,
    listener: Listener,
    options: SubscribeOptions,
  ): Promise<() => LiveView<View>> {
    const given = copied(options);
    const hub = await this.#loaded();
    return hub.opening(map, listener, given);
  }

  async following(type: "set" | "counter", of: Of, listener: Listener): Promise<() => LiveView> {
    const hub = await this.#loaded();
    return hub.followers.following(type, of, listener);
  }

  /** One promise for all, so that calls keep their order. */
  async caller(): Promise<Caller> {
    return (this.#caller ??= this.#newCaller());
  }

  async #newCaller(): Promise<Caller> {
    try {
      const { Caller } = await loaded(import("./caller.ts"));
      return new Caller(this.#host);
    } catch (error) {
      this.#caller = null;
      throw error;
    }
  }

  async #loaded(): Promise<Hub> {
    const { Hub } = await loaded(import("./hub.ts"));
    return (this.hub ??= new Hub(this.#host, this.#desk));
  }
}

/** What its application does with its options later is not meant. What is not plain is refused when all is loaded. */
function copied(options: SubscribeOptions): GivenOptions {
  const { prefix, keys, where, orderBy, descending, limit } = options;
  const given = { prefix, keys, where, orderBy, descending, limit };
  try {
    return structuredClone(given);
  } catch {
    return given;
  }
}
