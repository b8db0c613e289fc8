/** A client of one cluster, as the application holds it. */
import { GridError, notReached } from "./errors.ts";
import { Entries } from "./entries.ts";
import { Host } from "./host.ts";
import { GridMap } from "./map.ts";
import type { Mode } from "./machine/router.ts";
import { settingsOf, type Options, type Settings } from "./settings.ts";

export interface Status {
  /** "offline": no node can be reached; writes are kept. */
  readonly state: "connecting" | "live" | "offline" | "closed";
  readonly clientId: string;
  readonly mode: Mode;
  /** Operations without an answer, sent or not. */
  readonly pending: number;
  /** Of the partition map. */
  readonly mapVersion: number;
  /** Nodes with a connection that works. */
  readonly nodes: readonly string[];
  /** How far the nodes' clock is known to be ahead of this client's; 0 if by less than a second. */
  readonly clockAheadMs: number;
}

export class Grid {
  readonly #host: Host;
  readonly #entries: Entries;
  readonly #maps = new Map<string, GridMap<unknown>>();

  private constructor(url: URL, settings: Settings, opened: PromiseWithResolvers<void>) {
    this.#host = new Host(url, settings, (effect) => {
      if (effect.type === "ready") opened.resolve();
      else if (effect.type === "over") opened.reject(new GridError(effect.error));
      else this.#entries.hear(effect);
    });
    this.#entries = new Entries(this.#host, settings);
  }

  /** Resolves when a node has answered, and the client knows who owns what. */
  static async connect(url: string | URL, options: Options = {}): Promise<Grid> {
    const settings = settingsOf(options);
    const opened = Promise.withResolvers<void>();
    const base = new URL(url);
    const grid = new Grid(base, settings, opened);
    const { connectMs } = settings;
    const timer = setTimeout(() => {
      opened.reject(new GridError(notReached(base.href, connectMs)));
      grid.close();
    }, connectMs);
    grid.#host.do({ type: "begin" });
    try {
      await opened.promise;
    } finally {
      clearTimeout(timer);
    }
    return grid;
  }

  /** One name, one kind of value: `V` is the application's word, which nobody checks. */
  map<V>(name: string): GridMap<V> {
    const known = this.#maps.get(name);
    const map = known ?? new GridMap<unknown>(name, this.#entries);
    this.#maps.set(name, map);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the application names what it stores
    return map as GridMap<V>;
  }

  status(): Status {
    const { settings, router, outbox, lanes, over } = this.#host.client;
    const live = [...lanes].filter(([, { session }]) => session.type === "live");
    const open = live.length > 0 ? "live" : router.map ? "offline" : "connecting";
    return {
      state: over ? "closed" : open,
      clientId: settings.clientId,
      mode: settings.mode,
      pending: outbox.size,
      mapVersion: router.map?.version ?? 0,
      nodes: live.map(([place]) => place),
      clockAheadMs: outbox.clock.aheadMs,
    };
  }

  /** What is not settled rejects with CLOSED. It may stand all the same. */
  close(): void {
    this.#host.do({ type: "close" });
  }
}

/** A client of the grid at `url`, such as `https://grid.example.com`. */
export const connect = async (url: string | URL, options?: Options): Promise<Grid> =>
  Grid.connect(url, options);
