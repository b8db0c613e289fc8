/**
 * Clients of a world that follow its one map. They hear in order, lose their socket when it loses something, as TCP does,
 * and come back to any node with their positions. Drawn by themselves: a world without them is the same run.
 */
import { NO_FLOW } from "../../src/core/node/flow.ts";
import type { NodeEffect } from "../../src/core/node/events.ts";
import type { Session } from "../../src/core/node/requests.ts";
import { Version, type NodeId } from "../../src/data/ids.ts";
import type { ClientMessage, ServerMessage } from "../../src/protocol/client-messages.ts";
import { Prng } from "./prng.ts";
import { Subscriber } from "./subscriber.ts";
import type { World } from "./world.ts";

/** One socket: nothing that was on its way through an older one arrives. */
interface Place {
  readonly node: NodeId;
  readonly socket: string;
  arrivesAt: number;
}

export class Subscribers {
  readonly all: Subscriber[];
  readonly #world: World;
  readonly #prng: Prng;
  readonly #places = new Map<Subscriber, Place>();
  #sockets = 0;

  constructor(world: World, count: number) {
    this.#world = world;
    this.#prng = new Prng(world.options.seed ^ 0x5b5c);
    this.all = Array.from({ length: count }, (_, id) => new Subscriber(id, { map: "m" }));
  }

  begin(): void {
    for (const it of this.all) {
      this.#world.schedule.after(this.#prng.below(4_000), () => this.#connect(it));
      this.#wander(it);
    }
  }

  /** Away for a while, at times: then at another node. */
  #wander(it: Subscriber): void {
    const { schedule } = this.#world;
    schedule.after(500 + this.#prng.below(6_000), () => {
      if (this.#world.healed) return;
      this.#disconnect(it);
      schedule.after(this.#prng.below(1_500), () => this.#connect(it));
      this.#wander(it);
    });
  }

  isAt(node: NodeId): boolean {
    return [...this.#places.values()].some((place) => place.node === node);
  }

  #connect(it: Subscriber): void {
    const { coordinator, faults, schedule } = this.#world;
    if (this.#places.has(it)) return;
    const active = coordinator.disk.view.members.filter(
      ({ nodeId, state }) => state === "active" && !faults.isDestroyed(nodeId),
    );
    if (active.length === 0) {
      schedule.after(500, () => this.#connect(it));
      return;
    }
    const { nodeId: node } = this.#prng.pick(active);
    this.#places.set(it, { node, socket: `subscriber${++this.#sockets}`, arrivesAt: 0 });
    this.#say(it, it.subscribe());
    // Who was not answered, where nobody is, tries elsewhere.
    const { socket } = this.#places.get(it) ?? {};
    schedule.after(15_000, () => {
      if (it.synced || this.#places.get(it)?.socket !== socket) return;
      this.#disconnect(it);
      this.#connect(it);
    });
  }

  #disconnect(it: Subscriber): void {
    const place = this.#places.get(it);
    this.#places.delete(it);
    if (!place) return;
    const { faults, node, moment } = this.#world;
    const { socket } = place;
    const event = { type: "lost", socket } as const;
    faults.at(place.node, () => {
      if (!faults.isDestroyed(place.node) && node(place.node).awake)
        node(place.node).deliver({ ...event, ...moment(place.node) });
    });
  }

  /** Its memory is gone. Some sockets outlive that, as they do when it sleeps; others do not, as when it dies. */
  crashed(node: NodeId): void {
    for (const [it, place] of this.#places) {
      if (place.node !== node || this.#prng.chance(0.5)) continue;
      this.#places.delete(it);
      this.#world.schedule.after(this.#prng.below(500), () => this.#connect(it));
    }
  }

  /** It has closed all sockets. */
  leave(node: string): void {
    for (const [it, place] of this.#places) {
      if (place.node !== node) continue;
      this.#places.delete(it);
      this.#world.schedule.after(100, () => this.#connect(it));
    }
  }

  #say(it: Subscriber, message: ClientMessage): void {
    const place = this.#places.get(it);
    if (!place) return;
    const { schedule, faults, node: hostOf, moment, crashPoint, checkers } = this.#world;
    const { node, socket } = place;
    const newest = Version(Number.MAX_SAFE_INTEGER);
    const known = { mapVersion: newest, viewVersion: newest };
    const session: Session = { clientId: `f${it.id}`, forward: true, ...known };
    schedule.after(1 + this.#prng.below(5), () =>
      faults.at(node, () => {
        if (this.#places.get(it) !== place || faults.isDestroyed(node)) return;
        const frames = [{ socket, session, flow: NO_FLOW, message }];
        hostOf(node).deliver({ type: "frames", frames, ...moment(node) }, crashPoint());
        checkers.afterStep();
      }),
    );
  }

  told(from: string, effect: Extract<NodeEffect, { type: "tell" | "resync" }>): void {
    for (const [it, place] of this.#places) {
      if (place.node !== from) continue;
      if (effect.type === "tell" && effect.socket === place.socket) this.#tell(it, effect.message);
      if (effect.type === "resync" && (effect.only ?? place.socket) === place.socket)
        this.#tell(it, { type: "RESYNC" });
    }
  }

  #tell(it: Subscriber, message: ServerMessage): void {
    const place = this.#places.get(it);
    if (!place) return;
    const { schedule, healed, checkers, counts } = this.#world;
    // It does not read: the node is told so, and tells it nothing more before it has subscribed again.
    if (!healed && this.#prng.chance(0.02)) {
      counts["subscribers that were too slow"]++;
      this.#disconnect(it);
      schedule.after(this.#prng.below(1_000), () => this.#connect(it));
      return;
    }
    place.arrivesAt = Math.max(place.arrivesAt, schedule.now + 1 + this.#prng.below(5));
    schedule.at(place.arrivesAt, () => {
      if (this.#places.get(it) !== place) return;
      const answer = it.hear(message);
      if (message.type === "CHANGES") checkers.followed(it, message);
      if (answer) this.#say(it, answer);
    });
  }
}
