/** A part of a map, a set or a counter that is followed, as the application holds it. */
import type { Filter } from "../protocol/filter.ts";
import { GridError, closed } from "./errors.ts";
import type { LiveView } from "./live-view.ts";

/** Given together: what all hold for. Nothing given: the whole map. */
export interface SubscribeOptions {
  /** Keys that start with this. */
  readonly prefix?: string;
  /** These keys, at most 100. */
  readonly keys?: readonly string[];
  /** Values for which this holds. */
  readonly where?: Filter;
}

/** `value` undefined: deleted, expired, or not in the subscription any more. */
export interface EntryChange<V> {
  readonly key: string;
  readonly value: V | undefined;
}

/** Of a set. */
export interface ElementChange<T> {
  readonly value: T;
  /** False: removed, by somebody who had seen all its adds, or expired. */
  readonly isThere: boolean;
}

/** Of a set or a counter: what there is its listener hears. */
export type Following = Pick<Subscription<unknown>, "synced" | "closed" | "close">;

export class Subscription<V> {
  /**
   * When everything that there is has been shown. Rejects with a GridError where that will not be: CLOSED, or no node takes this
   * subscription; nobody need look. It waits for as long as no node answers, or a partition has no owner. Later changes of connections,
   * nodes and owners are not seen here.
   */
  readonly synced: Promise<void>;
  /** When nothing is told any more: null after `close`, else why. Never rejects. */
  readonly closed: Promise<GridError | null>;
  #live: LiveView | null = null;
  #open = true;

  constructor(opening: Promise<() => LiveView>) {
    const opened = this.#opened(opening);
    this.synced = opened.then(async ({ synced }) => synced);
    this.closed = opened.then(
      async ({ closed: end }) => end,
      (error: unknown) => (this.#open && error instanceof GridError ? error : null),
    );
    // Whoever wants to know why looks at either.
    this.synced.catch(() => undefined);
  }

  async #opened(opening: Promise<() => LiveView>): Promise<LiveView> {
    const open = await opening;
    if (!this.#open) throw new GridError(closed("subscription"));
    return (this.#live = open());
  }

  /** As this client knows it, with what it has written itself: without asking anybody. Nothing before it is opened. */
  get(key: string): V | undefined {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the application names what it stores
    return this.#live?.view.value?.(key) as V | undefined;
  }

  /** All that there is, in no order. */
  entries(): [string, V][] {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    return [...(this.#live?.view.entries?.() ?? [])] as [string, V][];
  }

  /** Nothing is told any more, and nothing kept. */
  close(): void {
    this.#open = false;
    this.#live?.close();
    this.#live = null;
  }
}
