/** One subscription at work: its application is told of all that came in one go together, each key once. */
import { unreachable } from "../data/assert.ts";
import { Alarm } from "./alarm.ts";
import { GridError, closed, type GridErrorInfo } from "./errors.ts";
import { EXPIRY_PAUSE_MS_MIN, UNTOLD_PAUSE_MS } from "./subscription-limits.ts";
import type { SubscriptionNews } from "./machine/subscriptions.ts";
import type { Untold, View, ViewChange } from "./view.ts";

/** What is shown: of entries a view, of whatever else something that is made of one or is like one. */
export interface Seen extends Pick<
  View,
  "query" | "take" | "digests" | "synced" | "expiresAt" | "expire" | "untoldAt" | "takeUntold"
> {
  /** Of entries alone. */
  value?(key: string): unknown;
  entries?(): Iterable<readonly [string, unknown]>;
  /** What its application is told of these changes; undefined: nothing. */
  news(changes: readonly ViewChange[]): unknown;
}

/** Of changes, or of the news that are made of them. */
export type Listener = (news: never) => void;

interface LiveViewPort {
  /** Milliseconds by the nodes' clock. */
  readonly now: () => number;
  /** About so many own writes their owners may be asked now. */
  readonly room: () => number;
  readonly ask: (untold: Untold) => void;
  readonly close: () => void;
}

export class LiveView<V extends Seen = Seen> {
  readonly view: V;
  readonly #synced = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<GridError | null>();
  readonly #port: LiveViewPort;
  readonly #listener: Listener;
  readonly #changes = new Map<string, ViewChange>();
  readonly #expiry = new Alarm(() => this.#expire());
  readonly #untold = new Alarm(() => this.#ask());
  #open = true;
  /** All that there is has been told. */
  #isComplete = false;

  constructor(
    make: (changed: (change: ViewChange) => void) => V,
    listener: Listener,
    port: LiveViewPort,
  ) {
    this.view = make((change) => this.#changed(change));
    this.#listener = listener;
    this.#port = port;
    // Whoever wants to know why it is over looks at either promise.
    this.synced.catch(() => undefined);
  }

  /** Rejects with a GridError. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  /** Why it is over; null: it was closed here. */
  get closed(): Promise<GridError | null> {
    return this.#closed.promise;
  }

  close(): void {
    if (!this.#open) return;
    this.#end(new GridError(closed("subscription")), null);
    this.#port.close();
  }

  hear(news: Exclude<SubscriptionNews, { type: "digest" }>): void {
    switch (news.type) {
      case "behind":
        this.#isComplete = false;
        return this.#untold.clear();
      case "changed":
        this.view.take(news.parts);
        this.awaitTold();
        return this.#expireLater();
      case "synced":
        this.#isComplete = true;
        this.view.synced();
        this.#synced.resolve();
        return this.awaitTold();
      case "ended":
        return this.#over(news.error);
      default:
        return unreachable(news);
    }
  }

  /** There may be something that was acknowledged and that nobody tells. */
  awaitTold(): void {
    if (this.#isComplete) this.#untold.set(this.view.untoldAt, this.#port.now());
  }

  #over(info: GridErrorInfo): void {
    const error = new GridError(info);
    this.#end(error, error);
  }

  #end(unsynced: GridError, why: GridError | null): void {
    this.#open = false;
    this.#isComplete = false;
    this.#expiry.clear();
    this.#untold.clear();
    this.#synced.reject(unsynced);
    this.#closed.resolve(why);
  }

  #changed(change: ViewChange): void {
    if (this.#changes.size === 0) queueMicrotask(() => this.#tell());
    this.#changes.delete(change.key);
    this.#changes.set(change.key, change);
  }

  #tell(): void {
    if (!this.#open) return;
    // What is not there any more is not told first.
    this.view.expire();
    const changes = [...this.#changes.values()];
    this.#changes.clear();
    this.#expireLater();
    const news = this.view.news(changes);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whoever opened it gave both
    if (news !== undefined) this.#listener(news as never);
  }

  #expireLater(): void {
    if (!this.#open) return;
    const now = this.#port.now();
    this.#expiry.set(Math.max(this.view.expiresAt, now + EXPIRY_PAUSE_MS_MIN), now);
  }

  #expire(): void {
    this.view.expire();
    this.#expireLater();
  }

  #ask(): void {
    if (!this.#isComplete) return;
    for (const untold of this.view.takeUntold(this.#port.room())) this.#port.ask(untold);
    const now = this.#port.now();
    this.#untold.set(Math.max(this.view.untoldAt, now + UNTOLD_PAUSE_MS), now);
  }
}
