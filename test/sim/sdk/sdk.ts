/** The machine of a client on a simulated host: it is driven as in production, over sockets and by a timer and a clock of the world. */
import { Driver } from "../../../src/client/driver.ts";
import type {
  Client,
  ClientEffect,
  ClientEvent,
  Settings,
} from "../../../src/client/machine/client-state.ts";
import type { Moment, Said } from "../../../src/client/machine/session.ts";
import { SteadyClock } from "../../../src/client/steady-clock.ts";
import type { NodeId } from "../../../src/data/ids.ts";
import type { ClientMessage, ServerMessage } from "../../../src/protocol/client-messages.ts";
import type { Prng } from "../prng.ts";
import type { Schedule } from "../schedule.ts";
import type { Frame, Link } from "./link.ts";
import type { Links } from "./links.ts";

export type Inward = Exclude<
  ClientEffect,
  { type: "connect" | "send" | "ping" | "hang-up" | "up" | "down" }
>;

export interface SdkPort {
  readonly schedule: Schedule;
  readonly links: Links;
  /** What concerns nobody outside. */
  readonly tell: (effect: Inward) => void;
  /** It goes out over a socket that works, as far as anybody knows. */
  readonly sends: (message: ClientMessage) => void;
  /** What came of a frame, before the machine hears of it. */
  readonly answered: (frame: Frame, message: ServerMessage) => void;
  /** A connection works, or does no more. */
  readonly linked: (link: number, works: boolean) => void;
  /** The machine has heard this. */
  readonly heard: (link: number, message: ServerMessage) => void;
  readonly stepped: (client: Client) => void;
}

export class SimSdk {
  readonly settings: Settings;
  /** Of its clock, before true time. */
  skewMs: number;
  readonly #port: SdkPort;
  readonly #prng: Prng;
  readonly #driver: Driver;
  readonly #clock = new SteadyClock();
  readonly #sockets = new Map<number, Link>();
  readonly #microtasks: (() => void)[] = [];
  #running = false;
  /** How often its timer was set: only the last one rings. */
  #timers = 0;

  constructor(settings: Settings, skewMs: number, prng: Prng, port: SdkPort) {
    this.settings = settings;
    this.skewMs = skewMs;
    this.#prng = prng;
    this.#port = port;
    this.#driver = new Driver(settings, {
      moment: () => this.moment(),
      perform: (effect) => this.#perform(effect),
      soon: (run) => void this.#microtasks.push(run),
      wakeAt: (at, now) => this.#wakeLater(at, now),
    });
  }

  moment(): Moment {
    return { now: this.now(), random: this.#prng.u32() / 2 ** 32 };
  }

  now(): number {
    const { now } = this.#port.schedule;
    return this.#clock.read(now + this.skewMs, now);
  }

  get client(): Client {
    return this.#driver.client;
  }

  /** All that is done here is done in one go of the event loop; its microtasks follow. */
  go(run: () => void): void {
    if (this.#running) return run();
    this.#running = true;
    run();
    for (let next = this.#microtasks.shift(); next; next = this.#microtasks.shift()) next();
    this.#running = false;
    this.#port.stepped(this.client);
  }

  do(event: Said<ClientEvent>): void {
    this.go(() => this.#driver.do(event));
  }

  send(link: number, message: ClientMessage): void {
    const socket = this.#sockets.get(link);
    if (!socket?.isOpen) return;
    this.#port.sends(message);
    this.#port.links.send(socket, message);
  }

  /** As a browser says so. */
  giveUpSockets(): void {
    for (const { ears } of this.#sockets.values()) ears?.lost(0);
  }

  #wakeLater(at: number | null, now: number): void {
    const timer = ++this.#timers;
    if (at === null) return;
    // As timers are: of whole milliseconds, and of one at least.
    this.#port.schedule.after(Math.max(1, Math.trunc(at - now)), () => {
      if (timer === this.#timers) this.do({ type: "woke" });
    });
  }

  #perform(effect: ClientEffect): void {
    switch (effect.type) {
      case "connect":
        return this.#connect(effect.link, effect.node);
      case "send":
        return this.send(effect.link, effect.message);
      case "up":
      case "down":
        return this.#port.linked(effect.link, effect.type === "up");
      case "ping": {
        const socket = this.#sockets.get(effect.link);
        return socket && this.#port.links.ping(socket);
      }
      case "hang-up": {
        const socket = this.#sockets.get(effect.link);
        this.#sockets.delete(effect.link);
        return socket && this.#port.links.hangUp(socket);
      }
      default:
        return this.#port.tell(effect);
    }
  }

  #connect(link: number, node: NodeId | null): void {
    const socket = this.#port.links.open(this.settings.replicaId, node, {
      opened: () => this.do({ type: "opened", link }),
      heard: (message) => this.go(() => this.#hear(link, socket, message)),
      ponged: () => this.do({ type: "ponged", link }),
      lost: (code) => {
        this.#sockets.delete(link);
        this.do({ type: "lost", link, code });
      },
    });
    this.#sockets.set(link, socket);
  }

  #hear(link: number, socket: Link, message: ServerMessage): void {
    const frame = "seq" in message && message.seq !== null ? socket.frames.get(message.seq) : null;
    if (frame && message.type !== "NOT_OWNER" && "seq" in message && message.seq !== null) {
      socket.frames.delete(message.seq);
      this.#port.answered(frame, message);
    }
    if (!FOR_SUBSCRIBERS.has(message.type)) this.#driver.do({ type: "heard", link, message });
    this.#port.heard(link, message);
  }
}

/** Of which the machine of the client makes nothing. */
const FOR_SUBSCRIBERS = new Set<ServerMessage["type"]>([
  "CHANGES",
  "SYNCED",
  "WANT_DIGESTS",
  "RESYNC",
]);
