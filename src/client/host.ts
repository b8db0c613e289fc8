/** Drives the machine of one client: sockets, one timer, time and chance. It decides nothing. */
import { clientMachine } from "./machine/client.ts";
import {
  beginClient,
  isAsking,
  type Client,
  type ClientEffect,
  type ClientEvent,
} from "./machine/client-state.ts";
import type { Moment } from "./machine/session.ts";
import type { Settings } from "./settings.ts";
import { Socket } from "./socket.ts";

type Said<Event extends Moment> = Event extends Moment ? Omit<Event, keyof Moment> : never;
type Inward = Extract<
  ClientEffect,
  { type: "taken" | "not-taken" | "settled" | "restamped" | "ready" | "over" }
>;

export class Host {
  readonly #url: URL;
  readonly #settings: Settings;
  readonly #tell: (effect: Inward) => void;
  #client: Client;
  readonly #sockets = new Map<number, Socket>();
  readonly #events: Said<ClientEvent>[] = [];
  #stepping = false;
  #flushing = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `tell`: for what concerns nobody outside. Called while the machine steps: it must not ask for more. */
  constructor(url: URL, settings: Settings, tell: (effect: Inward) => void) {
    this.#url = url;
    this.#settings = settings;
    this.#tell = tell;
    this.#client = beginClient(settings);
  }

  get client(): Client {
    return this.#client;
  }

  do(event: Said<ClientEvent>): void {
    this.#events.push(event);
    if (this.#stepping) return;
    this.#stepping = true;
    for (let next = this.#events.shift(); next; next = this.#events.shift()) this.#step(next);
    this.#stepping = false;
  }

  #step(event: Said<ClientEvent>): void {
    const moment = { now: Date.now(), random: Math.random() };
    const [client, effects] = clientMachine.step(this.#client, { ...event, ...moment });
    this.#client = client;
    for (const effect of effects) this.#perform(effect);
    if (isAsking(event)) this.#flushSoon();
    else this.#wakeLater(moment.now);
  }

  /** All that is asked for in one go shares frames. */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.do({ type: "flush" });
    });
  }

  #wakeLater(now: number): void {
    clearTimeout(this.#timer);
    const at = clientMachine.wakeAt(this.#client);
    if (at === null) return;
    this.#timer = setTimeout(() => this.do({ type: "woke" }), Math.max(0, at - now));
  }

  #perform(effect: ClientEffect): void {
    switch (effect.type) {
      case "connect":
        return this.#connect(effect.link, effect.node);
      case "send":
        return this.#sockets.get(effect.link)?.send(effect.message);
      case "ping":
        return this.#sockets.get(effect.link)?.ping();
      case "hang-up":
        this.#sockets.get(effect.link)?.hangUp();
        this.#sockets.delete(effect.link);
        return;
      default:
        return this.#tell(effect);
    }
  }

  #connect(link: number, node: string | null): void {
    const socket = new Socket(this.#settings.WebSocket, this.#addressOf(node), {
      opened: () => this.do({ type: "opened", link }),
      heard: (message) => this.do({ type: "heard", link, message }),
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
