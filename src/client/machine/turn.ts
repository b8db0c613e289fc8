/** One event's way through the machines of a client: each one's effects are the others' events. */
import { unreachable } from "../../data/assert.ts";
import type { NodeId } from "../../data/ids.ts";
import type { Hello, Welcome } from "../../protocol/client-messages.ts";
import { PROTOCOL_VERSION } from "../../protocol/version.ts";
import type { GridErrorInfo } from "../errors.ts";
import type { Client, ClientEffect, KnownGrid, Lane } from "./client-state.ts";
import { isIdle, stepOutbox, type OutboxEvent } from "./outbox.ts";
import {
  ANY,
  isGone,
  NOWHERE,
  placesOf,
  stepRouter,
  type Place,
  type RouterEvent,
} from "./router.ts";
import {
  beginSession,
  stepSession,
  type Moment,
  type Said,
  type SessionEffect,
  type SessionEvent,
} from "./session.ts";

export class Turn {
  client: Client;
  readonly effects: ClientEffect[] = [];
  readonly #moment: Moment;
  #lanesChanged = false;

  constructor(client: Client, { now, random }: Moment) {
    this.client = client;
    this.#moment = { now, random };
  }

  // ---------------------------------------------------------------- the three machines

  outbox(event: Said<OutboxEvent>): void {
    const [outbox, effects] = stepOutbox(this.client.outbox, { ...event, ...this.#moment });
    this.#set({ outbox });
    for (const effect of effects) {
      switch (effect.type) {
        case "send":
          this.#send(effect.place, effect.message);
          break;
        case "astray":
          this.router({ type: "astray", from: effect.place });
          break;
        case "settled":
        case "restamped":
          this.effects.push(effect);
          break;
        default:
          unreachable(effect);
      }
    }
  }

  router(event: RouterEvent): void {
    const [router, effects] = stepRouter(this.client.router, event);
    this.#set({ router });
    for (const effect of effects) {
      if (effect.type === "fetch") this.#send(effect.from, effect.message);
      else {
        this.outbox({ type: "routed", routes: effect.routes });
        this.checkLanes();
      }
    }
  }

  session(place: Place, event: Said<SessionEvent>): void {
    const lane = this.client.lanes.get(place);
    if (!lane) return;
    const [session, effects] = stepSession(lane.session, { ...event, ...this.#moment });
    this.#setLane(place, { ...lane, session });
    for (const effect of effects) this.#carry(place, effect);
  }

  sessionOf(link: number, event: Said<SessionEvent>): void {
    const place = this.placeOf(link);
    if (place !== null) this.session(place, event);
  }

  /** null: of a socket that is not wanted any more. */
  placeOf(link: number): Place | null {
    for (const [place, lane] of this.client.lanes) if (lane.link === link) return place;
    return null;
  }

  #carry(place: Place, effect: SessionEffect): void {
    const link = this.#linkOf(place);
    switch (effect.type) {
      case "connect":
        return this.#connect(place);
      case "greet":
        return this.#send(place, this.#hello());
      case "ping":
      case "hang-up":
        if (link !== null) this.effects.push({ type: effect.type, link });
        return;
      case "up":
        this.#up(place, effect.welcome, effect.clockAheadMs);
        if (link !== null) this.effects.push({ type: "up", link });
        return;
      case "down":
        if (link !== null) this.effects.push({ type: "down", link });
        this.outbox({ type: "unlinked", place });
        this.router({ type: "unheard", from: place });
        return this.checkLanes();
      case "failed":
        return this.end(effect.error);
      default:
        return unreachable(effect);
    }
  }

  // ---------------------------------------------------------------- lanes

  /** Whoever was connected before need not be now to write. */
  begin(known: KnownGrid | null): void {
    if (known) {
      const { partitionCount, aheadMs } = known;
      this.#set({ router: { ...this.client.router, partitionCount } });
      this.outbox({ type: "clock", aheadMs });
      this.effects.push({ type: "ready" });
    }
    this.checkLanes();
  }

  #connect(place: Place): void {
    const link = this.client.link + 1;
    const lane = this.client.lanes.get(place);
    if (lane) this.#setLane(place, { ...lane, link });
    this.#set({ link });
    this.effects.push({
      type: "connect",
      link,
      node: place === ANY || place === NOWHERE ? null : place,
    });
  }

  #hello(): Hello {
    const { cluster, replicaId: clientId, mode } = this.client.settings;
    const forward = mode === "gateway";
    return { type: "HELLO", version: PROTOCOL_VERSION, cluster, clientId, forward, received: 0 };
  }

  /** The clock first, so that nothing goes out under a wrong stamp; then the map, so that nothing goes astray. */
  #up(asked: Place, welcome: Welcome, aheadMs: number): void {
    const place = this.#adopted(asked, welcome.nodeId);
    const isFirst = this.client.router.map === null;
    this.outbox({ type: "clock", aheadMs });
    this.router({ type: "map", from: place, map: welcome.map });
    this.outbox({ type: "linked", place, creditOps: welcome.creditOps });
    if (isFirst) this.effects.push({ type: "ready" });
    this.checkLanes();
  }

  /** Who asked for any node has found this one, and needs no other way to it. */
  #adopted(place: Place, nodeId: NodeId): Place {
    if (place !== ANY || this.client.settings.mode === "gateway") return place;
    const lane = this.client.lanes.get(ANY);
    this.#closeLane(nodeId);
    this.#dropLane(ANY);
    if (lane) this.#setLane(nodeId, lane);
    return nodeId;
  }

  checkLanes(): void {
    this.#lanesChanged = true;
  }

  /** A lane to each place that the map names; while there is none that works, one to any node. */
  settleLanes(): void {
    while (this.#lanesChanged && !this.client.over) {
      this.#lanesChanged = false;
      const wanted = placesOf(this.client.router);
      for (const place of this.client.lanes.keys())
        if (!wanted.has(place) && this.#isNeedless(place)) this.#closeLane(place);
      for (const place of wanted) this.#openLane(place);
      if (!this.#anyLive()) this.#openLane(ANY);
    }
  }

  #isNeedless(place: Place): boolean {
    if (place === ANY) return this.#anyLive();
    return isGone(this.client.router, place) || isIdle(this.client.outbox, place);
  }

  #anyLive(): boolean {
    return [...this.client.lanes.values()].some(({ session }) => session.type === "live");
  }

  #openLane(place: Place): void {
    if (this.client.lanes.has(place)) return;
    this.#setLane(place, { session: beginSession(this.#moment.now), link: null });
    this.session(place, { type: "woke" });
  }

  #closeLane(place: Place): void {
    if (!this.client.lanes.has(place)) return;
    this.session(place, { type: "close" });
    this.#dropLane(place);
  }

  end(error: GridErrorInfo): void {
    for (const place of this.client.lanes.keys()) this.#closeLane(place);
    this.outbox({ type: "close", error });
    this.#set({ over: error });
    this.effects.push({ type: "over", error });
  }

  // ---------------------------------------------------------------- state

  #send(place: Place, message: Extract<ClientEffect, { type: "send" }>["message"]): void {
    const link = this.#linkOf(place);
    if (link !== null) this.effects.push({ type: "send", link, message });
  }

  #setLane(place: Place, lane: Lane): void {
    this.#set({ lanes: new Map(this.client.lanes).set(place, lane) });
  }

  #dropLane(place: Place): void {
    const lanes = new Map(this.client.lanes);
    lanes.delete(place);
    this.#set({ lanes });
  }

  #linkOf(place: Place): number | null {
    return this.client.lanes.get(place)?.link ?? null;
  }

  #set(changed: Partial<Client>): void {
    this.client = { ...this.client, ...changed };
  }
}
