/** One map of a grid: last writer wins, key by key. */
import type { AckLevel } from "../protocol/ops.ts";
import type { Written } from "./desk.ts";
import type { Entries } from "./entries.ts";

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

  constructor(name: string, entries: Entries) {
    this.name = name;
    this.#entries = entries;
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
}
