/** Where subscriptions are opened: what they need is loaded with the first. */
import { malformed } from "../protocol/checks.ts";
import type { Query } from "../protocol/subscription-messages.ts";
import { decodeJson, encodeJson } from "../protocol/values.ts";
import type { Desk } from "./desk.ts";
import { GridError, loaded, valueOf } from "./errors.ts";
import type { Followers } from "./followers.ts";
import type { Host } from "./host.ts";
import type { Hub } from "./hub.ts";
import type { Listener, LiveView } from "./live-view.ts";
import type { Of } from "./machine/ask.ts";
import type { SubscribeOptions } from "./subscription.ts";
import type { View } from "./view.ts";

export class HubLoader {
  /** null: nobody has subscribed. */
  hub: Hub | null = null;
  /** null: nobody has subscribed to a set or a counter. */
  followers: Followers | null = null;
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
    const { Followers } = await loaded(import("./live.ts"));
    const followers = (this.followers ??= new Followers(hub));
    return followers.following(type, of, listener);
  }

  async #loaded(): Promise<Hub> {
    const { Hub } = await loaded(import("./live.ts"));
    return (this.hub ??= new Hub(this.#host, this.#desk));
  }
}

/** What its application does with its options later is not meant. */
function queryOf(map: string, options: SubscribeOptions): Query {
  try {
    const { prefix, keys, where } = options;
    return {
      map,
      ...(prefix !== undefined && { prefix }),
      ...(keys !== undefined && { keys: copied(keys, "keys") }),
      ...(where !== undefined && { filter: copied(where, "where") }),
    };
  } catch (error) {
    throw error instanceof GridError ? error : new GridError(malformed("plain data")("options"));
  }
}

/** Of what is plain: a frame could carry nothing else. */
function copied<T>(value: T, field: string): T {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it was one
  return valueOf(decodeJson(valueOf(encodeJson(value, field)), field)) as T;
}
