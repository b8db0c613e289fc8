/** Pages of one origin at one node: what each writes down, and what the next makes of it. */
import { clientMachine } from "../../src/client/machine/client.ts";
import {
  beginClient,
  type Client,
  type ClientEffect,
  type ClientEvent,
} from "../../src/client/machine/client-state.ts";
import type { Ask, Kept, Settled } from "../../src/client/machine/ask.ts";
import type { Said } from "../../src/client/machine/session.ts";
import { Journal } from "../../src/client/persist/journal.ts";
import {
  adoptAll,
  keptOf,
  type AskRecord,
  type CountRecord,
} from "../../src/client/persist/records.ts";
import type { Changes } from "../../src/client/persist/store.ts";
import { RECONNECT_MS_MAX } from "../../src/client/limits.ts";
import { ClusterId } from "../../src/data/ids.ts";
import { compareStamps, formatStamp } from "../../src/data/hlc.ts";
import type { Count } from "../../src/data/count.ts";
import type { ClientWrite, Ops } from "../../src/protocol/client-messages.ts";
import type { ErrorInfo } from "../../src/protocol/errors.ts";
import { welcomeOf } from "./worlds.ts";

export const T = 1_000_000;

/** What a journal writes, as the next page reads it. */
class Disk {
  readonly #asks = new Map<number, AskRecord>();
  readonly #counts = new Map<string, CountRecord>();
  #exposedBelow = 0;
  isFull = false;
  transactions = 0;
  operations = 0;

  async write({ exposedBelow, asks, counts }: Changes): Promise<void> {
    await Promise.resolve();
    if (this.isFull) throw new Error("it is full");
    this.transactions++;
    this.operations += asks.size;
    this.#exposedBelow = exposedBelow ?? this.#exposedBelow;
    for (const [id, ask] of asks)
      if (ask) this.#asks.set(id, ask);
      else this.#asks.delete(id);
    for (const [name, count] of counts) this.#counts.set(name, count);
  }

  leftBy(replica: string): readonly Kept[] {
    const asks = [...this.#asks].toSorted(([a], [b]) => a - b);
    const counts = [...this.#counts.values()];
    return keptOf({ asks, counts, exposedBelow: this.#exposedBelow }, replica);
  }
}

/** One node: the newest write of each key, the greatest total of each replica. */
export class Node {
  readonly entries = new Map<string, ClientWrite>();
  readonly totals = new Map<string, Count>();
  /** By tag: does it stand? Nothing that was removed comes back. */
  readonly adds = new Map<string, boolean>();
  /** How often each write came. */
  readonly times = new Map<string, number>();

  take({ ops }: Ops, from: string): void {
    for (const op of ops) {
      if (op.type === "count") {
        const replica = op.replica ?? from;
        const known = this.totals.get(replica) ?? { inc: 0, dec: 0 };
        const [inc, dec] = [Math.max(known.inc, op.inc), Math.max(known.dec, op.dec)];
        this.totals.set(replica, { inc, dec });
      } else if (op.type === undefined) {
        const known = this.entries.get(op.key);
        if (!known || compareStamps(op.stamp, known.stamp) > 0) this.entries.set(op.key, op);
        const name = `${op.key} ${formatStamp(op.stamp)}`;
        this.times.set(name, (this.times.get(name) ?? 0) + 1);
      } else if (op.type === "add") {
        const tag = formatStamp(op.stamp);
        this.adds.set(tag, this.adds.get(tag) ?? true);
      } else for (const tag of op.tags ?? []) this.adds.set(formatStamp(tag), false);
    }
  }

  get sum(): number {
    return [...this.totals.values()].reduce((sum, { inc, dec }) => sum + inc - dec, 0);
  }

  textOf(key: string): string | undefined {
    const value = this.entries.get(key)?.value;
    return value ? new TextDecoder().decode(value) : undefined;
  }
}

export class Page {
  readonly disk = new Disk();
  readonly journal = new Journal(this.disk);
  readonly settled: Settled[] = [];
  readonly #heard: (effect: ClientEffect) => void;
  /** What was asked for last. */
  #last: Ask | null = null;
  readonly #id: string;
  readonly #node: Node;
  readonly #clock: { now: number };
  #client: Client;
  /** Frames on their way, and those that have come and are not answered. */
  #sent: Ops[] = [];
  #taken: Ops[] = [];

  constructor(
    id: string,
    node: Node,
    clock = { now: T },
    heard: (effect: ClientEffect) => void = () => undefined,
  ) {
    this.#heard = heard;
    this.#id = id;
    this.#node = node;
    this.#clock = clock;
    this.#client = beginClient({
      clientId: id,
      replicaId: id,
      cluster: ClusterId("main"),
      mode: "gateway",
      outboxMax: 1_000,
      patienceMs: 0,
      answerMs: 1_000,
    });
    this.do({ type: "begin", known: { partitionCount: 1, aheadMs: 0 } });
  }

  do(said: Said<ClientEvent>): void {
    const event = { ...said, now: this.#clock.now, random: 0.5 };
    const [client, effects] = clientMachine.step(this.#client, event);
    this.#client = client;
    for (const effect of effects) {
      this.journal.hear(effect, client);
      if (effect.type === "send" && effect.message.type === "OPS") this.#sent.push(effect.message);
      if (effect.type === "settled") this.settled.push(...effect.all);
      if (effect.type === "taken") this.#last = effect.ask;
      this.#heard(effect);
    }
  }

  get #session(): string | undefined {
    return [...this.#client.lanes.values()][0]?.session.type;
  }

  /** `aheadMs`: the node's clock before this page's. */
  connect(aheadMs = 0): void {
    if (this.#session === "live") return;
    if (this.#session === "waiting") {
      this.#clock.now += RECONNECT_MS_MAX;
      this.do({ type: "woke" });
    }
    const { link } = this.#client;
    this.do({ type: "opened", link });
    const welcome = welcomeOf("n1", { nowMs: this.#clock.now + aheadMs, forward: true });
    this.do({ type: "heard", link, message: welcome });
  }

  cut(): void {
    if (this.#session === "live") this.do({ type: "lost", link: this.#client.link, code: 1_006 });
    this.#sent = [];
    this.#taken = [];
  }

  write(key: string, text: string): void {
    const value = new TextEncoder().encode(text);
    this.do({ type: "write", draft: { map: "m", key, value }, ttlMs: null, ack: "owner" });
  }

  count(by: number): void {
    this.do({ type: "count", map: "m", key: "c", by, ack: "owner" });
  }

  flush(): void {
    this.do({ type: "flush" });
  }

  /** What is on its way reaches the node. */
  deliver(): void {
    for (const frame of this.#sent) this.#node.take(frame, this.#id);
    this.#taken.push(...this.#sent);
    this.#sent = [];
  }

  /** `which`: "sent" has not come to the node yet, and never does. */
  answer(error: ErrorInfo | null = null, which: "taken" | "sent" = "taken"): void {
    const { link } = this.#client;
    const taken = which === "sent" ? this.#sent : this.#taken;
    if (which === "sent") this.#sent = [];
    else this.#taken = [];
    for (const { seq } of taken)
      this.do({
        type: "heard",
        link,
        message: error ? { type: "ERROR", seq, error } : { type: "ACK", seq, exceptions: [] },
      });
  }

  get client(): Client {
    return this.#client;
  }

  get pending(): number {
    return this.#client.outbox.size;
  }

  /** In one go. */
  adopt(kept: readonly Kept[]): void {
    adoptAll(kept, (one) => {
      this.do({ type: "adopt", kept: one });
      return this.#last?.id ?? -1;
    });
    this.flush();
  }

  async end(): Promise<readonly Kept[]> {
    await this.journal.end(this.#id);
    return this.disk.leftBy(this.#id);
  }
}
