/**
 * Faults on order, for tests of what is deployed: without the binding `GODWIT_FAULTS` there are none.
 *
 * Each object judges what passes its own door, so a cut is ordered on one side of it and `in` and `out`
 * are as that object sees them: requests and answers alike. Pings are answered by the platform whatever
 * is ordered, and alarms ring, though a paused object takes no notice.
 */
import type { Sender } from "../protocol/cluster-messages.ts";

/** No node has such an id: its client sockets, and everybody. */
export type Peer = Sender | "@clients" | "*";
export type Direction = "in" | "out";

/** One way of going wrong, with one peer. */
export interface Fault {
  readonly peer: Peer;
  readonly direction: Direction | "both";
  /** `cut`: neither message nor failure comes until it is healed. `drop`: it fails at once. */
  readonly what: "cut" | "drop" | "delay";
  /** Of each message. A cut takes all. */
  readonly chance: number;
  /** Of a delay. */
  readonly ms: number;
}

export interface FaultOrders {
  readonly faults: readonly Fault[];
  /** As a process that is stopped: whatever happens waits, timers too, and comes when it goes on. */
  readonly paused: boolean;
  /** Its timers stop, for the rest of its life: nothing but what others ask of it keeps it in memory. */
  readonly timeless: boolean;
  /** Still so after the object has lost its memory: a killed node must not answer when it is woken. */
  readonly keep: boolean;
}

/** The orders, and how many messages or events have met them in this life of the object. */
export interface FaultReport extends FaultOrders {
  readonly met: { readonly [What in Fault["what"] | "held"]: number };
}

const NONE: FaultOrders = { faults: [], paused: false, timeless: false, keep: false };
const DEAD: FaultOrders = {
  faults: [{ peer: "*", direction: "both", what: "cut", chance: 1, ms: 0 }],
  paused: true,
  timeless: false,
  keep: true,
};

/** What a paused object holds; what comes beyond it is lost, as in a full buffer of a network. */
const HELD_MAX = 10_000;
const KEPT = "faults";

export class Faults {
  readonly #ctx: DurableObjectState;
  #orders: FaultOrders;
  readonly #met = { cut: 0, drop: 0, delay: 0, held: 0 };
  #held: (() => void)[] = [];
  /** Called when there are new orders. */
  #changed = new Set<() => void>();

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
    this.#orders = ctx.storage.kv.get<FaultOrders>(KEPT) ?? NONE;
  }

  report(): FaultReport {
    return { ...this.#orders, met: { ...this.#met } };
  }

  /** Durable when it returns, if they are to be kept. */
  async order(orders: FaultOrders): Promise<FaultReport> {
    if (orders.keep) this.#ctx.storage.kv.put(KEPT, orders);
    else if (this.#ctx.storage.kv.get(KEPT) !== undefined) this.#ctx.storage.kv.delete(KEPT);
    await this.#ctx.storage.sync();
    this.#orders = orders;
    for (const tell of this.#changed) tell();
    const held = orders.paused ? [] : this.#held.splice(0);
    for (const goOn of held) goOn();
    return this.report();
  }

  /** Silent from now on, also when something wakes it. */
  async kill(): Promise<void> {
    await this.order(DEAD);
    this.#ctx.abort("killed by order");
  }

  /** True: it is paused, and `goOn` is called later. */
  holds(goOn: () => void): boolean {
    if (!this.#orders.paused) return false;
    this.#met.held++;
    if (this.#held.length < HELD_MAX) this.#held.push(goOn);
    return true;
  }

  /** Null: nothing is in the way. Else it resolves when the message goes on, rejects when it is lost. */
  pass(peer: Peer, direction: Direction): Promise<void> | null {
    const fault = this.#meets(peer, direction);
    if (!fault) return null;
    this.#met[fault.what]++;
    if (fault.what === "delay") return after(fault.ms);
    return fault.what === "drop" ? Promise.reject(new Error(LOST)) : this.#lost(peer, direction);
  }

  /** A request of this object and its answer; null when either is lost. */
  async around<Answer>(peer: Peer, ask: () => Promise<Answer | null>): Promise<Answer | null> {
    try {
      await this.pass(peer, "out");
      const answer = await ask();
      await this.pass(peer, "in");
      return answer;
    } catch {
      return null;
    }
  }

  #meets(peer: Peer, direction: Direction): Fault | undefined {
    return this.#orders.faults.find(
      (fault) =>
        (fault.peer === "*" || fault.peer === peer) &&
        (fault.direction === "both" || fault.direction === direction) &&
        (fault.what === "cut" || Math.random() < fault.chance),
    );
  }

  async #lost(peer: Peer, direction: Direction): Promise<never> {
    while (this.#meets(peer, direction)?.what === "cut") await this.#change();
    throw new Error(LOST);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      const tell = (): void => {
        this.#changed.delete(tell);
        resolve();
      };
      this.#changed.add(tell);
    });
  }
}

const LOST = "lost by order";

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
