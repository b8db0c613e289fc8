/** A client of one cluster, as the application holds it. */
import { GridActor } from "./actor.ts";
import { GridCounter } from "./counter.ts";
import { Desk } from "./desk.ts";
import { Entries } from "./entries.ts";
import { GridError, loaded, notReached } from "./errors.ts";
import { Host } from "./host.ts";
import { Loader } from "./loader.ts";
import { GridMap } from "./map.ts";
import type { Mode } from "./machine/router.ts";
import type { Persistence } from "./persist/persistence.ts";
import { GridSet } from "./set.ts";
import { settingsOf, type Options, type Settings } from "./settings.ts";

export interface Status {
  /** "offline": no node can be reached; writes are kept. */
  readonly state: "live" | "offline" | "closed";
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
  /** With `persist`: "failed" as long as the browser does not keep what is to be kept. */
  readonly saving: "off" | "on" | "failed";
}

export class Grid {
  readonly #host: Host;
  readonly #desk: Desk;
  readonly #loader: Loader;
  readonly #entries: Entries;
  readonly #maps = new Map<string, GridMap<unknown>>();
  readonly #sets = new Map<string, GridSet<unknown>>();
  readonly #counters = new Map<string, GridCounter>();

  private constructor(url: URL, settings: Settings, opened: PromiseWithResolvers<void>) {
    this.#host = new Host(url, settings, (effect) => {
      if (effect.type === "ready") opened.resolve();
      else if (effect.type === "over") opened.reject(new GridError(effect.error));
      else this.#desk.hear(effect);
    });
    this.#desk = new Desk(this.#host, settings);
    this.#loader = new Loader(this.#host, this.#desk);
    this.#entries = new Entries(this.#desk);
  }

  /**
   * Resolves when a node has answered, and the client knows who owns what; with `persist` also without any, where some page of this
   * origin was connected before.
   */
  static async connect(url: string | URL, options: Options = {}): Promise<Grid> {
    const settings = settingsOf(options);
    const opened = Promise.withResolvers<void>();
    const base = new URL(url);
    const grid = new Grid(base, settings, opened);
    // Whoever closes it meanwhile is told why by what failed.
    opened.promise.catch(() => undefined);
    const { connectMs } = settings;
    const late = Promise.withResolvers<never>();
    const tooLate = new GridError(notReached(base.href, connectMs));
    const timer = setTimeout(() => late.reject(tooLate), connectMs);
    try {
      await Promise.race([late.promise, grid.#begin(base, settings, opened.promise)]);
      return grid;
    } catch (error) {
      grid.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #begin({ host: address }: URL, settings: Settings, opened: Promise<void>): Promise<void> {
    const [host, desk, entries] = [this.#host, this.#desk, this.#entries];
    let persistence: Persistence | null = null;
    if (settings.persist) {
      const { Persistence } = await loaded(import("./persist/persistence.ts"));
      persistence = await Persistence.open(address, { host, desk, entries });
    }
    host.do({ type: "begin", known: persistence?.found.known ?? null });
    await opened;
    await persistence?.begin();
  }

  /** One name, one kind of value: `V` is the application's word, which nobody checks. */
  map<V>(name: string): GridMap<V> {
    const map = kept(
      this.#maps,
      name,
      () => new GridMap<unknown>(name, this.#entries, this.#loader),
    );
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the application names what it stores
    return map as GridMap<V>;
  }

  /** Each key is a set of its own. */
  set<T>(name: string, key = ""): GridSet<T> {
    const named = JSON.stringify([name, key]);
    const set = kept(
      this.#sets,
      named,
      () => new GridSet<unknown>(name, key, this.#desk, this.#loader),
    );
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    return set as GridSet<T>;
  }

  /** Each key is a counter of its own. */
  counter(name: string, key = ""): GridCounter {
    const named = JSON.stringify([name, key]);
    return kept(this.#counters, named, () => new GridCounter(name, key, this.#desk, this.#loader));
  }

  /** `Command` and `Reply` are the application's words, as the definition of that type of actor has them. */
  actor<Command = unknown, Reply = unknown>(type: string, id: string): GridActor<Command, Reply> {
    return new GridActor(type, id, this.#loader);
  }

  status(): Status {
    const { settings, router, outbox, lanes, over } = this.#host.client;
    const nodes = [...lanes.values()].flatMap(({ session }) =>
      session.type === "live" ? session.node : [],
    );
    return {
      state: over ? "closed" : nodes.length > 0 ? "live" : "offline",
      clientId: settings.clientId,
      mode: settings.mode,
      pending: outbox.size,
      mapVersion: router.map?.version ?? 0,
      nodes,
      clockAheadMs: outbox.clock.aheadMs,
      saving: this.#host.persistence?.saving ?? "off",
    };
  }

  /** What is not settled rejects with CLOSED. It may stand all the same, and with `persist` it is sent by whoever comes next. */
  close(): void {
    this.#host.do({ type: "close" });
  }
}

/** One of each, so that all who hold it know the same. */
function kept<H>(handles: Map<string, H>, name: string, make: () => H): H {
  const handle = handles.get(name) ?? make();
  handles.set(name, handle);
  return handle;
}

/** A client of the grid at `url`, such as `https://grid.example.com`. */
export const connect = async (url: string | URL, options?: Options): Promise<Grid> =>
  Grid.connect(url, options);
