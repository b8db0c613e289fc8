/**
 * What an application follows: the machine of subscriptions and a view, which are told what they are told in production. R-view: in
 * the end the view is what the owners have, and what this client has written and nobody has outdone is never missing from it.
 */
import { isDeepStrictEqual } from "node:util";
import {
  contentOf,
  isWrite,
  type Ask,
  type Settled,
  type Write,
} from "../../../src/client/machine/ask.ts";
import type { Said } from "../../../src/client/machine/session.ts";
import {
  beginSubscriptions,
  stepSubscriptions,
  subscriptionsWakeAt,
  type Subscriptions,
  type SubscriptionNews,
  type SubscriptionsEvent,
} from "../../../src/client/machine/subscriptions.ts";
import { gridNow } from "../../../src/client/machine/writer-clock.ts";
import { View, type Untold, type ViewChange } from "../../../src/client/view.ts";
import { partitionOf } from "../../../src/data/hash.ts";
import { compareStamps, type Stamp } from "../../../src/data/hlc.ts";
import { isVisible } from "../../../src/data/content.ts";
import type { Row } from "../../../src/data/row.ts";
import type { ServerMessage } from "../../../src/protocol/client-messages.ts";
import { namesKey } from "../../../src/protocol/holds.ts";
import type { Subscribed } from "../../../src/protocol/subscriber-codec.ts";
import type { ChangedPart, Query } from "../../../src/protocol/subscription-messages.ts";
import { decodeJson } from "../../../src/protocol/values.ts";
import { entryOf } from "../predicates.ts";
import type { World } from "../world.ts";
import type { SimSdk } from "./sdk.ts";
import type { Tally } from "./tally.ts";

/** How often what is due by the clock of a view is looked at. */
const LOOK_MS = 500;
const UNTOLD_MAX = 8;

interface Own {
  readonly row: Pick<Row, "stamp" | "value" | "expiresAt">;
  readonly failovers: number | undefined;
}

export class Following {
  readonly #world: World;
  readonly #tally: Tally;
  readonly #sdk: SimSdk;
  readonly #query: Query;
  readonly #view: View;
  readonly #id = 1;
  #state: Subscriptions;
  #isOpen = false;
  #isComplete = false;
  #wakes = 0;
  /** Of each key what was acknowledged last. */
  readonly #own = new Map<string, Own>();
  /** Of each key those of its own writes that nobody has answered. */
  readonly #pending = new Map<string, Set<number>>();
  /** By number of the operation. */
  readonly #asked = new Map<number, Untold>();

  constructor(world: World, tally: Tally, sdk: SimSdk, query: Query) {
    this.#world = world;
    this.#tally = tally;
    this.#sdk = sdk;
    this.#query = query;
    this.#state = beginSubscriptions(sdk.settings.patienceMs);
    this.#view = new View(query, {
      partitionCount: () => world.options.config.partitionCount,
      now: () => this.#now(),
      changed: (change) => this.#changed(change),
    });
  }

  open(pending: readonly Ask[]): void {
    this.#isOpen = true;
    for (const ask of pending) this.taken(ask);
    this.#do({ type: "subscribe", id: this.#id, query: this.#query });
    this.#look();
  }

  #now(): number {
    return gridNow(this.#sdk.client.outbox.clock, this.#sdk.now());
  }

  // ---------------------------------------------------------------- the machine

  linked(link: number, works: boolean): void {
    this.#do({ type: works ? "linked" : "unlinked", link });
  }

  heard(link: number, message: ServerMessage): void {
    if (isSubscribed(message)) this.#do({ type: "told", link, message });
    else if (message.type === "ERROR" && message.seq !== null)
      this.#do({ type: "refused", link, seq: message.seq, error: message.error });
  }

  #do(event: Said<SubscriptionsEvent>): void {
    const [state, effects] = stepSubscriptions(this.#state, { ...event, ...this.#sdk.moment() });
    this.#state = state;
    for (const effect of effects)
      if (effect.type !== "send") this.#hear(effect);
      else {
        if (effect.message.type === "SUBSCRIBE") this.#tally.add("subscribed");
        this.#sdk.send(effect.link, effect.message);
      }
    const at = subscriptionsWakeAt(state);
    const wake = ++this.#wakes;
    if (at === null) return;
    this.#world.schedule.after(Math.max(1, Math.trunc(at - this.#sdk.now())), () => {
      if (wake === this.#wakes) this.#sdk.go(() => this.#do({ type: "woke" }));
    });
  }

  #hear(news: SubscriptionNews): void {
    const { id } = news;
    this.#tally.add(`followers: ${news.type}`);
    switch (news.type) {
      case "behind":
        this.#isComplete = false;
        return;
      case "changed": {
        const stamp = newestOf(news.parts);
        if (stamp) this.#sdk.do({ type: "seen", stamp });
        return this.#view.take(news.parts);
      }
      case "synced":
        this.#isComplete = true;
        return this.#view.synced();
      case "digest": {
        const parts = this.#view.digests(news.partitionIds, news.salt);
        return this.#do({ type: "digested", id, link: news.link, parts });
      }
      case "ended":
        // Refused for longer than its application had patience: which then asks again.
        this.#isComplete = false;
        return this.#world.schedule.after(1_000, () =>
          this.#sdk.go(() => this.#do({ type: "subscribe", id, query: this.#query })),
        );
    }
  }

  /** What is due by its clock: what expires, and own writes that nobody has told. */
  #look(): void {
    this.#sdk.go(() => {
      this.#view.expire();
      if (!this.#isComplete || this.#view.untoldAt > this.#now()) return;
      for (const untold of this.#view.takeUntold(UNTOLD_MAX)) {
        this.#tally.add("owners asked about own writes");
        const id = this.#sdk.client.nextId;
        this.#asked.set(id, untold);
        this.#sdk.do({ type: "read", key: { map: "m", key: untold.key } });
        if (this.#sdk.client.nextId === id) this.#asked.delete(id);
      }
    });
    this.#world.schedule.after(LOOK_MS, () => this.#look());
  }

  // ---------------------------------------------------------------- what this client does

  taken(ask: Ask): void {
    if (!this.#isOpen || !isEntry(ask)) return;
    const { key } = ask.op;
    this.#pending.set(key, (this.#pending.get(key) ?? new Set()).add(ask.id));
    this.#view.wrote(ask.id, key, contentOf(ask));
  }

  restamped(writes: readonly Write[]): void {
    for (const write of writes)
      if (isEntry(write)) this.#view.restamped(write.id, write.op.key, contentOf(write));
  }

  settled({ ask, outcome }: Settled): void {
    const untold = this.#asked.get(ask.id);
    if (untold && outcome.type === "value")
      this.#view.learned(untold, outcome.stamp, outcome.value);
    this.#asked.delete(ask.id);
    if (!isEntry(ask)) return;
    const { key } = ask.op;
    if (this.#isOpen && outcome.type === "stored") this.#note(key, contentOf(ask));
    const pending = this.#pending.get(key);
    pending?.delete(ask.id);
    if (pending?.size === 0) this.#pending.delete(key);
    this.#view.settled(ask.id, key, outcome.type !== "refused");
  }

  #note(key: string, row: Own["row"]): void {
    const known = this.#own.get(key);
    if (known && compareStamps(known.row.stamp, row.stamp) > 0) return;
    this.#own.set(key, { row, failovers: this.#failoversOf(key) });
  }

  // ---------------------------------------------------------------- what it shows

  /** R-view: what was acknowledged, and is what its owner has, is shown. */
  #changed({ key, value }: ViewChange): void {
    const own = this.#own.get(key);
    if (this.#pending.has(key)) return;
    if (!own?.row.value || own.failovers !== this.#failoversOf(key)) return;
    const { checkers } = this.#world;
    const stands = checkers.durability.due(key);
    const isNewest = stands && compareStamps(stands.stamp, own.row.stamp) === 0;
    if (!isNewest || checkers.mayBeGone({ key, stamp: own.row.stamp })) return;
    checkers.count("R-view");
    // Something newer may stand that its writer has not heard of.
    const there = this.#rowAt(key);
    if (there && compareStamps(there.stamp, own.row.stamp) !== 0) return;
    if (!isDeepStrictEqual(value, valueIn(own.row)))
      this.#fail(`${key} shows ${String(value)}, not what it has written and was acknowledged`);
  }

  atEnd(): void {
    if (!this.#isComplete) this.#fail("it was never told that it has all");
    this.#view.expire();
    const shown = new Map(this.#view.entries());
    for (const { key, value } of this.#there()) {
      this.#world.checkers.count("R-view");
      if (!isDeepStrictEqual(shown.get(key), value))
        this.#fail(`${key} shows ${String(shown.get(key))}, not ${String(value)}`);
      shown.delete(key);
    }
    for (const [key, value] of shown) this.#fail(`${key} shows ${String(value)}, and is not there`);
  }

  /** What is visible at the owners, and a value of ours. */
  *#there(): Iterable<{ readonly key: string; readonly value: unknown }> {
    const { coordinator, nodes, schedule } = this.#world;
    for (const [partitionId, { ruling }] of coordinator.disk.entries) {
      const rows = (ruling.owner && nodes.get(ruling.owner)?.rows.tables[partitionId]) || [];
      for (const { row } of rows) {
        if (row.kind !== "lww" || !namesKey(this.#query, row.key)) continue;
        const value = isVisible(row, schedule.now) ? valueIn(row) : undefined;
        if (value !== undefined) yield { key: row.key, value };
      }
    }
  }

  #rowAt(key: string): Row | undefined {
    const { owner, partitionId } = entryOf(this.#world, key)?.ruling ?? {};
    if (!owner || partitionId === undefined) return undefined;
    const rows = this.#world.nodes.get(owner)?.rows.tables[partitionId] ?? [];
    return rows.find(({ row }) => row.kind === "lww" && row.key === key)?.row;
  }

  #failoversOf(key: string): number | undefined {
    const { checkers, options } = this.#world;
    return checkers.failovers.get(partitionOf(key, options.config.partitionCount));
  }

  #fail(message: string): never {
    const { replicaId } = this.#sdk.settings;
    return this.#world.checkers.fail("R-view", `the view of ${replicaId}: ${message}`);
  }
}

const isEntry = (ask: Ask): ask is Write => isWrite(ask) && ask.op.type === undefined;

const isSubscribed = (message: ServerMessage): message is Subscribed =>
  ["CHANGES", "SYNCED", "WANT_DIGESTS", "RESYNC"].includes(message.type);

function valueIn({ value }: Pick<Row, "value">): unknown {
  const json = value && decodeJson(value, "value");
  return json?.ok ? json.value : undefined;
}

function newestOf(parts: readonly ChangedPart[]): Stamp | null {
  let newest: Stamp | null = null;
  for (const { rows } of parts)
    for (const { kind, stamp } of rows)
      if (kind !== "pn" && (!newest || compareStamps(stamp, newest) > 0)) newest = stamp;
  return newest;
}
