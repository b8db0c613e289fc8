/**
 * Sockets between the clients and the nodes of a world. Frames keep their order; whatever is on its way over a socket that
 * breaks is lost, and each end learns of that when it does, a client perhaps only by what is not answered.
 */
import { NO_FLOW } from "../../../src/core/node/flow.ts";
import type { ClientFrame, NodeEffect } from "../../../src/core/node/events.ts";
import { NodeId } from "../../../src/data/ids.ts";
import type { ClientMessage, ServerMessage } from "../../../src/protocol/client-messages.ts";
import type { Sender } from "../../../src/protocol/cluster-messages.ts";
import { assertFrameCoded } from "../coded.ts";
import { countOps } from "../counts.ts";
import type { Prng } from "../prng.ts";
import { SimSockets } from "../sockets.ts";
import type { World } from "../world.ts";
import type { Link, SimEars } from "./link.ts";
import type { Tally } from "./tally.ts";

const UNCLEAN = 1006;
const RESTARTED = 1012;
const TOO_SLOW = 1013;

/** Coding every frame would take most of a run. */
const CODED_EVERY = 8;

export class Links {
  readonly #world: World;
  readonly #prng: Prng;
  readonly #tally: Tally;
  readonly #all = new Map<string, Link>();
  readonly #sockets = new SimSockets();
  /** Come at a node, not told yet. */
  readonly #inboxes = new Map<NodeId, { link: Link; message: ClientMessage }[]>();
  /** Who can open none. */
  readonly offline = new Set<string>();
  #opened = 0;
  #frames = 0;

  constructor(world: World, prng: Prng, tally: Tally) {
    this.#world = world;
    this.#prng = prng;
    this.#tally = tally;
  }

  isAt(node: NodeId): boolean {
    for (const link of this.#all.values()) if (link.node === node && link.isAtNode) return true;
    return false;
  }

  // ---------------------------------------------------------------- the client's end

  /** `node` null: to any. */
  open(client: string, node: NodeId | null, ears: SimEars): Link {
    const to = node ?? this.#anyNode();
    const link: Link = {
      id: `${client}.${++this.#opened}@${to}`,
      client,
      node: to ?? NodeId("none"),
      ears,
      isOpen: false,
      isBroken: false,
      isAtNode: false,
      subscribed: null,
      frames: new Map(),
    };
    const { schedule, faults } = this.#world;
    if (to === null || this.offline.has(client) || faults.isDestroyed(to) || this.#chance(0.03)) {
      link.isBroken = true;
      // Some never hear that nobody is there.
      if (!this.#chance(0.2))
        schedule.after(1 + this.#prng.below(200), () => this.#lost(link, UNCLEAN));
      return link;
    }
    this.#all.set(link.id, link);
    this.#travel(link, () =>
      faults.at(to, () => {
        if (faults.isDestroyed(to)) return;
        link.isAtNode = true;
        this.#travel(link, () => {
          link.isOpen = true;
          this.#tally.add("sockets opened");
          link.ears?.opened();
        });
      }),
    );
    return link;
  }

  send(link: Link, message: ClientMessage): void {
    if (!link.isOpen) return;
    if (++this.#frames % CODED_EVERY === 0) assertFrameCoded(message);
    const { schedule } = this.#world;
    if (message.type === "OPS" || message.type === "GET") {
      const { ops, keys, ack = "owner" } = { ops: [], keys: [], ack: undefined, ...message };
      link.frames.set(message.seq, { ops, keys, ack, begunAt: schedule.now });
      if (this.#chance(0.01)) this.break(link);
    }
    this.#travel(link, () => this.#arrive(link, message));
  }

  /** The platform answers, the node sleeps on. */
  ping(link: Link): void {
    if (!link.isOpen) return;
    this.#tally.add("pings");
    this.#travel(link, () => {
      if (!this.#world.faults.isDestroyed(link.node)) this.#travel(link, () => link.ears?.ponged());
    });
  }

  hangUp(link: Link): void {
    link.ears = null;
    link.isOpen = false;
    this.#end(link, 1 + this.#prng.below(10));
  }

  /** `silently`: the client does not hear of it. */
  break(link: Link, silently = this.#prng.chance(0.15), code = UNCLEAN): void {
    if (link.isBroken) return;
    link.isBroken = true;
    this.#tally.add(silently ? "sockets broken in silence" : "sockets broken");
    if (link.frames.size > 0) this.#tally.add("sockets broken with frames under way");
    if (!silently) this.#world.schedule.after(this.#prng.below(20), () => this.#lost(link, code));
    this.#end(link, this.#prng.chance(0.8) ? this.#prng.below(50) : this.#prng.below(5_000));
  }

  breakAll(client: string, silently: boolean): void {
    for (const link of this.#all.values()) if (link.client === client) this.break(link, silently);
  }

  /** Of all. */
  breakOne(): void {
    const links = [...this.#all.values()].filter(({ isBroken }) => !isBroken);
    if (links.length > 0) this.break(this.#prng.pick(links));
  }

  #lost(link: Link, code: number): void {
    const { ears } = link;
    link.ears = null;
    link.isOpen = false;
    ears?.lost(code);
  }

  /** What the front would name: it may not have heard yet who is gone. */
  #anyNode(): NodeId | null {
    const { members } = this.#world.coordinator.disk.view;
    const known = members.filter(({ state }) => state !== "joining" && state !== "removed");
    return known.length === 0 ? null : this.#prng.pick(known).nodeId;
  }

  #chance(p: number): boolean {
    return !this.#world.healed && this.#prng.chance(p);
  }

  /** In order: each way by itself. */
  #travel(link: Link, arrive: () => void): void {
    const { schedule, options, healed } = this.#world;
    const isSlow = !healed && this.#prng.chance(options.slowRate / 10);
    const ms = isSlow ? this.#prng.below(options.slowMsMax) : 1 + this.#prng.below(5);
    // One queue for both ways: to be later than need be is no fault.
    schedule.at(this.#sockets.inOrder(link.id, schedule.now + ms), () => {
      if (!link.isBroken) arrive();
    });
  }

  // ---------------------------------------------------------------- the node's end

  #arrive(link: Link, message: ClientMessage): void {
    const { node } = link;
    const { answers, faults, schedule } = this.#world;
    if (message.type === "OPS") countOps(this.#world, message.ops);
    if (message.type === "GET") answers.asks(link.id, message.seq, message.keys);
    const inbox = this.#inboxes.get(node);
    if (inbox) return void inbox.push({ link, message });
    this.#inboxes.set(node, [{ link, message }]);
    const lost = (): void => void this.#inboxes.delete(node);
    schedule.after(this.#prng.below(3), () => faults.at(node, () => this.#deliver(node), lost));
  }

  /** What came meanwhile is one event, as what comes while a commit is under way. */
  #deliver(node: NodeId): void {
    const inbox = this.#inboxes.get(node) ?? [];
    this.#inboxes.delete(node);
    const frames = inbox.flatMap(({ link: { id, isAtNode }, message }): readonly ClientFrame[] =>
      isAtNode
        ? [{ socket: id, session: this.#sockets.sessionOf(id), flow: NO_FLOW, message }]
        : [],
    );
    if (frames.length === 0) return;
    const { node: hostOf, moment, crashPoint, checkers } = this.#world;
    hostOf(node).deliver({ type: "frames", frames, ...moment(node) }, crashPoint());
    // Nobody will answer what it was told.
    if (!hostOf(node).awake) for (const link of this.#at(node)) this.break(link);
    checkers.afterStep();
  }

  /** What concerns its sockets, of all that a node wants done. */
  hear(from: Sender, effect: NodeEffect): void {
    switch (effect.type) {
      case "push":
        return this.#push(effect.socket, effect.message);
      case "attach":
        if (this.#all.has(effect.socket)) this.#sockets.attach(effect.socket, effect.session);
        return;
      case "push-map":
        return this.#sockets.pushMap(from, effect.news, (id, message) => this.#push(id, message));
      case "tell":
        if (this.#all.get(effect.socket)?.subscribed === "told")
          this.#push(effect.socket, effect.message);
        return;
      case "subscribed":
        return this.#subscribed(effect.socket, effect.yes);
      case "resync":
        return this.#resync(from, effect.only);
      case "close-sockets":
        for (const link of this.#at(from)) this.break(link, false, RESTARTED);
        return;
      default:
    }
  }

  #push(id: string, message: ServerMessage): void {
    const link = this.#all.get(id);
    if (!link?.isAtNode) return;
    const { answers, checkers } = this.#world;
    const frame = message.type === "ACK" ? link.frames.get(message.seq) : undefined;
    if (frame && message.type === "ACK") checkers.acked(link.client, frame, message);
    answers.told(id, message);
    if (++this.#frames % CODED_EVERY === 0) assertFrameCoded(message);
    // It does not read what it is sent.
    if (this.#chance(0.001)) return this.break(link, false, TOO_SLOW);
    this.#travel(link, () => link.ears?.heard(message));
  }

  #subscribed(id: string, yes: boolean): void {
    const link = this.#all.get(id);
    if (link) link.subscribed = yes ? "told" : null;
  }

  #resync(from: Sender, only: string | null): void {
    for (const link of this.#at(from)) {
      if (link.subscribed === null || (only !== null && only !== link.id)) continue;
      link.subscribed = "behind";
      this.#push(link.id, { type: "RESYNC" });
    }
  }

  #at(node: Sender): readonly Link[] {
    return [...this.#all.values()].filter((link) => link.node === node && link.isAtNode);
  }

  /** Its memory is gone. Sockets outlive that where nothing was under way, as they do when it sleeps. */
  crashed(node: NodeId): void {
    const links = [...this.#all.values()].filter((link) => link.node === node);
    const isIdle =
      !this.#inboxes.delete(node) &&
      links.every(({ frames, isOpen }) => isOpen && frames.size === 0);
    if (isIdle && this.#prng.chance(0.5)) return;
    for (const link of links) this.break(link);
  }

  destroyed(node: NodeId): void {
    for (const link of this.#all.values())
      if (link.node === node) this.break(link, this.#prng.chance(0.5));
  }

  /** The node learns that it is closed. */
  #end(link: Link, ms: number): void {
    const { schedule } = this.#world;
    schedule.after(ms, () => {
      link.isBroken = true;
      if (!this.#all.delete(link.id) || !link.isAtNode) return;
      link.isAtNode = false;
      const { faults, node: hostOf, moment, isVisited } = this.#world;
      const { node, id, subscribed } = link;
      faults.at(node, () => {
        if (subscribed && hostOf(node).awake)
          hostOf(node).deliver({ type: "lost", socket: id, ...moment(node) });
        if (hostOf(node).awake && !isVisited(node))
          hostOf(node).deliver({ type: "alone", ...moment(node) });
      });
    });
  }
}
