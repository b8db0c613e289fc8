/** One map of a grid: last writer wins, key by key. */
import type { AckLevel } from "../protocol/ops.ts";
import type { Written } from "./desk.ts";
import type { Entries } from "./entries.ts";
import type { Loader } from "./loader.ts";
import type { EntryChange, SubscribeOptions } from "./subscribed.ts";
import { Subscription } from "./subscription.ts";

export interface WriteOptions {
  /** "owner": on the owner's disk. "backup": at every complete copy, too. Left out: as `connect` was told. */
  readonly ack?: AckLevel;
}

export interface SetOptions extends WriteOptions {
  /** Milliseconds from now on, whole, by the nodes' clock; then the entry is gone. */
  readonly ttl?: number;
}

export class GridMap<V> {
  readonly name: string;
  readonly #entries: Entries;
  readonly #loader: Loader;

  constructor(name: string, entries: Entries, loader: Loader) {
    this.name = name;
    this.#entries = entries;
    this.#loader = loader;
  }

  /**
   * What the owner of the key has, or undefined. A write of this client's own that is not acknowledged yet is seen at
   * once, also without a connection: whoever writes reads what he wrote.
   */
  async get(key: string): Promise<V | undefined> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the application names what it stores
    return (await this.#entries.read(this.name, key)) as V | undefined;
  }

  /**
   * What this client has last written or read, at once and without asking anybody: others may have written since. The
   * very object that was given to `set`, so leave it as it is.
   */
  peek(key: string): V | undefined {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    return this.#entries.peek(this.name, key) as V | undefined;
  }

  /** Resolves when it is durable; rejects with a GridError, and is undone here, when it is refused. */
  set(key: string, value: V, options: SetOptions = {}): Promise<Written> {
    return this.#entries.write({ map: this.name, key, value, ...options });
  }

  delete(key: string, options: WriteOptions = {}): Promise<Written> {
    return this.#entries.write({ map: this.name, key, ...options });
  }

  /**
   * Everything that there is, then everything that changes, whoever has written it; this client's own writes at once, and taken back
   * where they are refused. `listener` is told of each key once for all that came in one go, its newest value. It goes on over new
   * connections, moves and lost nodes, until `close`.
   */
  subscribe(
    listener: (changes: readonly EntryChange<V>[]) => void,
    options: SubscribeOptions = {},
  ): Subscription<V> {
    return new Subscription(this.#loader.opening(this.name, listener, options));
  }

  /** All entries, in the order that was asked for, if any: complete, but not of one moment. */
  async entries(options: SubscribeOptions = {}): Promise<[string, V][]> {
    const subscription = this.subscribe(() => undefined, options);
    try {
      await subscription.synced;
      return subscription.entries();
    } finally {
      subscription.close();
    }
  }
}
