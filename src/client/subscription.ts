/** A part of a map, a set or a counter that is followed, as the application holds it. */
import { GridError, closed } from "./errors.ts";
import type { LiveView } from "./live-view.ts";

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

  /** All that there is, in the order that was asked for, if any. */
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
