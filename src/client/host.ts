/** What the machine of one client needs of the world: sockets, one timer, time and chance. It decides nothing. */
import type { Stamp } from "../data/hlc.ts";
import type { Row } from "../data/row.ts";
import type { Told } from "../protocol/client-messages.ts";
import { Driver } from "./driver.ts";
import type { GridErrorInfo } from "./errors.ts";
import type { Client, ClientEffect, ClientEvent } from "./machine/client-state.ts";
import type { Said } from "./machine/session.ts";
import type { Keep } from "./told.ts";
import type { Settings } from "./settings.ts";
import { Socket } from "./socket.ts";
import { SteadyClock } from "./steady-clock.ts";

type Inward = Extract<
  ClientEffect,
  { type: "taken" | "not-taken" | "settled" | "restamped" | "ready" | "over" }
>;

/** What became of what this client asks for. */
export type Done = Exclude<Inward, { type: "over" }>;

/** Who uses the same connections, beside the machine: subscriptions, and calls to actors. */
export interface Guest {
  /** Called while the machine steps: it must not ask for more. */
  did?(done: Done): void;
  /** A connection works, or does no more. */
  up(link: number): void;
  down(link: number): void;
  /** What everybody hears, after the machine. */
  told(link: number, message: Told): void;
  /** What the machine does not know. False: it is for this one, and nothing can be made of it. */
  heard(link: number, bytes: Uint8Array): boolean;
  over(error: GridErrorInfo): void;
}

/** What a subscription was told when it was followed here last, and where goes what it is told. */
export interface KeptQuery {
  readonly rows: readonly Row[];
  readonly keep: Keep;
}

/** What is to outlive the page, beside the machine. */
export interface PersistencePort {
  /** `client`: as it is after it. */
  hear(effect: ClientEffect, client: Client): void;
  follow(text: string): Promise<KeptQuery>;
  /** "failed": what is to be kept is not. */
  readonly saving: "on" | "failed";
}

/** A browser's; elsewhere nobody says so. */
declare const addEventListener:
  | ((type: "offline", listener: () => void, options: { readonly signal: AbortSignal }) => void)
  | undefined;

export class Host {
  readonly #url: URL;
  readonly #settings: Settings;
  readonly #tell: (effect: Inward) => void;
  readonly #driver: Driver;
  readonly #clock = new SteadyClock();
  /** null: nothing outlives the page. */
  persistence: PersistencePort | null = null;
  readonly #sockets = new Map<number, Socket>();
  readonly #guests: Guest[] = [];
  readonly #end = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `tell`: for what concerns nobody outside. Called while the machine steps: it must not ask for more. */
  constructor(url: URL, settings: Settings, tell: (effect: Inward) => void) {
    this.#url = url;
    this.#settings = settings;
    this.#tell = tell;
    this.#driver = new Driver(settings, {
      moment: () => ({ now: this.now(), random: Math.random() }),
      perform: (effect) => this.#perform(effect),
      soon: (run) => queueMicrotask(run),
      wakeAt: (at, now) => this.#wakeLater(at, now),
    });
    const { signal } = this.#end;
    if (typeof addEventListener === "function")
      addEventListener("offline", this.#offline, { signal });
  }

  /** No socket hears of it: a page would wait for pongs that do not come. */
  readonly #offline = (): void => {
    for (const socket of this.#sockets.values()) socket.giveUp();
  };

  /** From now on it hears what concerns it. */
  attach(guest: Guest): void {
    this.#guests.push(guest);
    const { over, lanes } = this.client;
    if (over) return guest.over(over);
    for (const { session, link } of lanes.values())
      if (session.type === "live" && link !== null) guest.up(link);
  }

  now(): number {
    return this.#clock.read(Date.now(), performance.now());
  }

  /** What this client writes from now on is newer. */
  seen(stamp: Stamp | null): void {
    if (stamp) this.do({ type: "seen", stamp });
  }

  /** Of a frame that no machine here has written. */
  send(link: number, bytes: Uint8Array): void {
    this.#sockets.get(link)?.sendBytes(bytes);
  }

  get client(): Client {
    return this.#driver.client;
  }

  do(event: Said<ClientEvent>): void {
    this.#driver.do(event);
  }

  #wakeLater(at: number | null, now: number): void {
    clearTimeout(this.#timer);
    if (at === null) return;
    this.#timer = setTimeout(() => this.do({ type: "woke" }), Math.max(0, at - now));
  }

  #perform(effect: ClientEffect): void {
    this.persistence?.hear(effect, this.client);
    switch (effect.type) {
      case "connect":
        return this.#connect(effect.link, effect.node);
      case "send":
        return this.#sockets.get(effect.link)?.send(effect.message);
      case "up":
      case "down":
        return this.#guests.forEach((guest) => guest[effect.type](effect.link));
      case "ping":
        return this.#sockets.get(effect.link)?.ping();
      case "hang-up":
        this.#sockets.get(effect.link)?.hangUp();
        this.#sockets.delete(effect.link);
        return;
      case "over":
        this.#end.abort();
        this.#guests.forEach((guest) => guest.over(effect.error));
        return this.#tell(effect);
      default:
        this.#guests.forEach((guest) => guest.did?.(effect));
        return this.#tell(effect);
    }
  }

  #connect(link: number, node: string | null): void {
    const socket = new Socket(this.#settings.WebSocket, this.#addressOf(node), {
      opened: () => this.do({ type: "opened", link }),
      heard: (message) => {
        this.do({ type: "heard", link, message });
        this.#guests.forEach((guest) => guest.told(link, message));
      },
      heardElse: (bytes) => this.#guests.every((guest) => guest.heard(link, bytes)),
      ponged: () => this.do({ type: "ponged", link }),
      lost: (code) => {
        this.#sockets.delete(link);
        this.do({ type: "lost", link, code });
      },
    });
    this.#sockets.set(link, socket);
  }

  #addressOf(node: string | null): string {
    const url = new URL("/v1/ws", this.#url);
    url.protocol = url.protocol.replace(/^http/, "ws");
    url.searchParams.set("cluster", this.#settings.cluster);
    if (node !== null) url.searchParams.set("node", node);
    return url.href;
  }
}
