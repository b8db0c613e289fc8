import { DurableObject } from "cloudflare:workers";
import type { ClusterEffect, ClusterEvent, Moment } from "../core/machine/cluster-event.ts";
import { drive } from "../core/machine/drive.ts";
import type { Machine } from "../core/machine/step.ts";
import type { ClusterMessage, Envelope } from "../protocol/cluster-messages.ts";
import { decodeEnvelope, encodeEnvelope } from "../protocol/codec.ts";
import { PROTOCOL_VERSION } from "../protocol/version.ts";
import { call, Calls, stubOf, type Address } from "./door.ts";
import type { DurableHost } from "./durable-host.ts";
import type { Env } from "./env.ts";
import { Faults, type Direction, type FaultOrders, type FaultReport } from "./faults.ts";
import { Group } from "./group.ts";
import { Waiting, type Claim } from "./waiting.ts";

/** A group this large, one way or the other, keeps the object from everything else for some 10 ms. */
const GROUP_MAX = { ops: 1_000, bytes: 1024 * 1024 };

/** An event in the inbox, and the room that it takes there. */
interface Item<Event> {
  readonly event: Event;
  readonly claim: Claim | null;
}

/** An object of a cluster: one machine, one door to the other objects, one alarm. */
export abstract class ClusterObject<
  State,
  Event extends object,
  Effect,
  Saved,
> extends DurableObject<Env> {
  protected abstract readonly machine: Machine<State, Event | ClusterEvent, Effect>;
  protected abstract readonly host: DurableHost<State, Event | ClusterEvent, Effect, Saved>;
  readonly #calls = new Calls();
  readonly #faults = this.env.GODWIT_FAULTS === "1" ? new Faults(this.ctx) : null;
  protected readonly waiting = new Waiting();
  readonly #inbox = new Group<Item<Event | ClusterEvent>>(
    {
      urgent: (items) => this.#driveAll(this.together(items.map((item) => this.#leave(item)))),
      copying: (item) => this.#driveCopying(this.#leave(item)),
    },
    GROUP_MAX,
    ({ event, claim }) => ({ ops: this.sizeOf(event), bytes: claim?.bytes ?? 0 }),
  );
  #started = false;

  /** In this life. */
  protected get hasStarted(): boolean {
    return this.#started;
  }

  /** The first event of every life of this object. */
  protected abstract started(): Event;
  /** As whom it speaks. */
  protected abstract address(): Address;

  async deliver(bytes: Uint8Array): Promise<Uint8Array> {
    const envelope = decodeEnvelope(bytes);
    if (!envelope.ok) return this.#seal({ type: "ERROR", error: envelope.error });
    const { from } = envelope.value;
    if (this.#faults) await this.#faults.pass(from, "in");
    const claim = { side: sideOf(envelope.value), bytes: bytes.length, socket: null };
    const full = this.waiting.enter(claim);
    // To be asked again: no caller takes this for an answer.
    if (full) return this.#seal({ type: "ERROR", error: full });
    const { call: id, answer } = this.#calls.open();
    this.#hear(envelope.value, id, claim);
    const message = await answer;
    if (this.#faults) await this.#faults.pass(from, "out");
    return this.#seal(message);
  }

  async faults(orders: FaultOrders | null): Promise<FaultReport | null> {
    if (!orders || !this.#faults) return this.#faults?.report() ?? null;
    const report = await this.#faults.order(orders);
    if (orders.timeless) this.host.stopTimers();
    return report;
  }
  async kill(): Promise<null> {
    await this.#faults?.kill();
    return null;
  }

  /** What passes between this object and its clients, unless a fault was ordered. */
  protected passClients(direction: Direction, goOn: () => void): void {
    const passed = this.#faults?.pass("@clients", direction);
    if (!passed) return goOn();
    const late = (): void => {
      goOn();
      this.driven();
    };
    this.ctx.waitUntil(passed.then(late, () => {}));
  }

  /** At once: an alarm whose handler has returned does not ring again. */
  override alarm(): void {
    this.host.rang();
    if (this.#faults?.holds(() => this.wakeUp())) return;
    this.#driveAll([{ type: "woke", ...moment() }]);
  }

  protected wakeUp(): void {
    this.tell({ type: "woke", ...moment() });
  }

  /** Events of one group may be told as fewer. */
  protected together(events: readonly (Event | ClusterEvent)[]): readonly (Event | ClusterEvent)[] {
    return events;
  }

  /** After each group of events. */
  protected driven(): void {}

  /** Bulk work that no client waits for by itself. */
  protected isCopying(_event: Event | ClusterEvent): boolean {
    return false;
  }

  /** What copying has cost so far, in operations about. */
  protected copyingCost(): number {
    return 0;
  }

  /** What handling it costs, in operations. */
  protected sizeOf(_event: Event | ClusterEvent): number {
    return 1;
  }

  /** What arrives while a commit is under way is committed together. `claim`: what it has been let in with. */
  protected tell(event: Event | ClusterEvent, claim: Claim | null = null): void {
    if (this.#faults?.holds(() => this.tell(event, claim))) return;
    this.#inbox.add({ event, claim }, this.isCopying(event) ? "copying" : "urgent");
  }

  #leave({ event, claim }: Item<Event | ClusterEvent>): Event | ClusterEvent {
    if (claim) this.waiting.leave(claim);
    return event;
  }

  protected speak(effect: ClusterEffect): void {
    if (effect.type === "answer") this.#calls.answer(effect.call, effect.message);
    else this.ctx.waitUntil(this.#send(effect));
  }

  async #send({ to, message, cluster }: Send): Promise<void> {
    const address = this.address();
    const { clusterId, from } = address;
    const isOwn = to === from && (cluster ?? clusterId) === clusterId;
    const deliver = async (bytes: Uint8Array): Promise<Uint8Array> =>
      isOwn ? this.#deliverOwn(bytes) : stubOf(this.env, cluster ?? clusterId, to).deliver(bytes);
    const asked = (): Promise<Envelope | null> => call(deliver, address, message);
    const answer = await (this.#faults ? this.#faults.around(to, asked) : asked());
    if (answer) this.#hear(answer, null, null);
    else this.tell({ type: "undelivered", to, message, ...moment() });
  }

  /**
   * In place. A call from object to object would end workerd, all of it, when this object is reset meanwhile: what
   * is asked ends first, drops what this object waits for, and with that itself.
   */
  async #deliverOwn(bytes: Uint8Array): Promise<Uint8Array> {
    await Promise.resolve(); // the event that it is an effect of ends first
    return this.deliver(bytes);
  }

  #hear({ clusterId, from, term, message }: Envelope, id: number | null, claim: Claim | null) {
    this.tell({ type: "message", clusterId, from, term, message, call: id, ...moment() }, claim);
  }

  #driveCopying(event: Event | ClusterEvent): number {
    const before = this.copyingCost();
    this.#driveAll([event]);
    return this.copyingCost() - before;
  }

  /** Nothing is awaited in between, so what these events store and save is one implicit transaction. */
  #driveAll(events: readonly (Event | ClusterEvent)[]): void {
    try {
      if (!this.#started) drive(this.machine, this.host, this.started());
      this.#started = true;
      // By the time of its turn: what has waited longer than others would turn it back.
      for (const event of events) drive(this.machine, this.host, { ...event, ...moment() });
      this.driven();
    } catch (error) {
      // Memory may be ahead of the rows, or behind: begin again from what was committed.
      this.ctx.abort(String(error));
      throw error;
    }
  }

  #seal(message: ClusterMessage): Uint8Array {
    return encodeEnvelope({ ...this.address(), version: PROTOCOL_VERSION, message });
  }
}

type Send = Extract<ClusterEffect, { type: "send" }>;

/** Whose room it takes: nodes pass on what their clients want. */
const sideOf = ({ from, message }: Envelope): Claim["side"] =>
  from === "front" || message.type === "OP_FORWARD" ? "clients" : "cluster";

export const moment = (): Moment => ({ now: Date.now(), random: Math.random() });
