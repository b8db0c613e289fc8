/**
 * Which clients of an origin are still there: each holds a lock under its name for as long as it lives (Web Locks), so that
 * whoever gets the lock of another knows that that one is no more, and is alone with what it has left.
 */
import { ADOPT_PAUSE_MS, WATCHED_MAX } from "./limits.ts";

export interface Locks {
  request<T>(
    name: string,
    options: { readonly ifAvailable?: boolean; readonly signal?: AbortSignal },
    hold: (lock: object | null) => Promise<T>,
  ): Promise<T>;
}

interface Channel {
  postMessage(message: string): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  close(): void;
}

declare const BroadcastChannel: new (name: string) => Channel;
declare const navigator: { readonly locks?: Locks } | undefined;

/** undefined: not a browser, or a page that is not from a secure place. */
export const locksOfPage = (): Locks | undefined =>
  typeof navigator === "undefined" ? undefined : navigator.locks;

/** With the lock of a client that is no more; false: not now, there is no room for it. */
type Adopt = (writer: string) => Promise<boolean>;

export class WriterLocks {
  readonly #locks: Locks;
  readonly #grid: string;
  readonly #watched = new Set<string>();
  readonly #news: Channel;
  #adopt: Adopt = async () => false;
  readonly #end = new AbortController();
  readonly #left = Promise.withResolvers<void>();

  /** Its name tells a grid apart from others. */
  constructor(locks: Locks, grid: string) {
    this.#locks = locks;
    this.#grid = grid;
    this.#news = new BroadcastChannel(grid);
    this.#news.addEventListener("message", ({ data }) => this.#watch(String(data)));
  }

  /** Resolves when others can know that it is there. */
  async hold(writer: string): Promise<void> {
    const held = Promise.withResolvers<void>();
    const request = this.#locks.request(this.#nameOf(writer), {}, () => {
      held.resolve();
      return this.#left.promise;
    });
    await Promise.race([held.promise, request]);
  }

  /** Resolves when what those have left who are no more is adopted. From now on, this one and the others watch each other. */
  async begin(writer: string, others: readonly string[], adopt: Adopt): Promise<void> {
    this.#adopt = adopt;
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has none
    this.#news.postMessage(writer);
    for (const other of others) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      if (!(await this.#adoptIfGone(other))) this.#watch(other);
    }
  }

  /**
   * Until it is no more. Then there is a pause: a page that was reloaded is there again, and shows what it has left itself.
   */
  #watch(writer: string): void {
    if (this.#watched.size >= WATCHED_MAX || this.#watched.has(writer)) return;
    this.#watched.add(writer);
    void this.#adoptWhenGone(writer).finally(() => this.#watched.delete(writer));
  }

  async #adoptWhenGone(writer: string): Promise<void> {
    const { signal } = this.#end;
    try {
      do {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await this.#locks.request(this.#nameOf(writer), { signal }, async () => {});
        // oxlint-disable-next-line no-await-in-loop -- as above
        await pause(ADOPT_PAUSE_MS, signal);
        // oxlint-disable-next-line no-await-in-loop -- as above
      } while (!(await this.#adoptIfGone(writer)));
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #adoptIfGone(writer: string): Promise<boolean> {
    return this.#locks.request(this.#nameOf(writer), { ifAvailable: true }, async (lock) =>
      lock ? this.#adopt(writer) : false,
    );
  }

  /** Whoever watches it adopts what it has left. */
  close(): void {
    this.#end.abort();
    this.#news.close();
    this.#left.resolve();
  }

  #nameOf(writer: string): string {
    return `${this.#grid} ${writer}`;
  }
}

/** Rejects when it is aborted. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, ms);
  const abort = (): void => over.reject(new Error("closed"));
  signal.addEventListener("abort", abort);
  try {
    await over.promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}
