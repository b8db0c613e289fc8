/** Where subscriptions are opened: what they need is loaded with the first. */
import { malformed } from "../protocol/checks.ts";
import type { Query } from "../protocol/subscription-messages.ts";
import type { Desk } from "./desk.ts";
import { GridError, loaded } from "./errors.ts";
import type { Host } from "./host.ts";
import type { Hub } from "./hub.ts";
import type { Listener, LiveView } from "./live-view.ts";
import type { Of } from "./machine/ask.ts";
import type { SubscribeOptions } from "./subscription.ts";
import type { View } from "./view.ts";

export class HubLoader {
  /** null: nobody has subscribed. */
  hub: Hub | null = null;
  readonly #host: Host;
  readonly #desk: Desk;

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
    const query = queryOf(map, options);
    const hub = await this.#loaded();
    return hub.opening(query, listener);
  }

  async following(type: "set" | "counter", of: Of, listener: Listener): Promise<() => LiveView> {
    const hub = await this.#loaded();
    return hub.followers.following(type, of, listener);
  }

  async #loaded(): Promise<Hub> {
    const { Hub } = await loaded(import("./hub.ts"));
    return (this.hub ??= new Hub(this.#host, this.#desk));
  }
}

function queryOf(map: string, options: SubscribeOptions): Query {
  const { prefix, keys, where } = options;
  return {
    map,
    ...(prefix !== undefined && { prefix }),
    ...(keys !== undefined && { keys: copied(keys, "keys") }),
    ...(where !== undefined && { filter: copied(where, "where") }),
  };
}

/** What its application does with its options later is not meant. */
function copied<T>(value: T, field: string): T {
  try {
    return structuredClone(value);
  } catch {
    throw new GridError(malformed("plain data")(field));
  }
}
