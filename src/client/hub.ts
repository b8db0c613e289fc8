/**
 * All subscriptions of a client: each hears of its own news, and of what this client writes to its map. With all that it needs it is
 * loaded when somebody subscribes first.
 */
import { compareStamps, type Stamp } from "../data/hlc.ts";
import { borderError } from "../protocol/border-errors.ts";
import { keyProblem, listProblem, malformed, mapProblem, textProblem } from "../protocol/checks.ts";
import type { ErrorInfo } from "../protocol/errors.ts";
import { filterProblem } from "../protocol/filter.ts";
import { KEY_BYTES_MAX, SUBSCRIPTION_KEYS_MAX, SUBSCRIPTIONS_MAX } from "../protocol/limits.ts";
import { decodeSubscribed } from "../protocol/subscriber-codec.ts";
import type { ChangedPart, Query } from "../protocol/subscription-messages.ts";
import { Alarm } from "./alarm.ts";
import type { Desk } from "./desk.ts";
import { refuse, type GridErrorInfo } from "./errors.ts";
import type { Done, Host, SubscriptionsPort } from "./host.ts";
import { UNTOLD_ASKED_MAX } from "./limits.ts";
import { LiveView, type Listener, type Seen } from "./live-view.ts";
import { contentOf, type Of, type Write } from "./machine/ask.ts";
import type { Said } from "./machine/session.ts";
import {
  beginSubscriptions,
  stepSubscriptions,
  subscriptionsWakeAt,
  type Subscriptions,
  type SubscriptionNews,
  type SubscriptionsEvent,
} from "./machine/subscriptions.ts";
import { Told } from "./told.ts";
import { View, type Untold, type ViewChange, type ViewKind, type ViewPort } from "./view.ts";

/** Who follows sets and counters. */
export interface FollowersPort {
  did(done: Done): void;
}

export interface Followed<V extends Seen> {
  readonly make: (changed: (change: ViewChange) => void) => V;
  /** Asks its owner about what nobody tells. */
  readonly ask: (untold: Untold) => Promise<void>;
}

export class Hub implements SubscriptionsPort {
  readonly host: Host;
  readonly desk: Desk;
  /** Those of sets and counters, where there are any. */
  followers: FollowersPort | null = null;
  readonly #views = new Map<number, LiveView>();
  readonly #alarm = new Alarm(() => this.#do({ type: "woke" }));
  #state: Subscriptions;
  #nextId = 1;
  /** Questions about own writes that are not answered. */
  #asked = 0;

  constructor(host: Host, desk: Desk) {
    this.host = host;
    this.desk = desk;
    this.#state = beginSubscriptions(host.client.settings.patienceMs);
    host.attach(this);
  }

  // ---------------------------------------------------------------- the machine

  linked(link: number): void {
    this.#do({ type: "linked", link });
  }

  unlinked(link: number): void {
    this.#do({ type: "unlinked", link });
  }

  heard(link: number, bytes: Uint8Array): boolean {
    const message = decodeSubscribed(bytes);
    if (message.ok) this.#do({ type: "told", link, message: message.value });
    return message.ok;
  }

  refused(link: number, seq: number, error: ErrorInfo): void {
    this.#do({ type: "refused", link, seq, error });
  }

  over(error: GridErrorInfo): void {
    this.#do({ type: "close", error });
  }

  #do(event: Said<SubscriptionsEvent>): void {
    const moment = { now: this.host.now(), random: Math.random() };
    const [state, effects] = stepSubscriptions(this.#state, { ...event, ...moment });
    this.#state = state;
    for (const effect of effects)
      if (effect.type === "send") this.host.send(effect.link, effect.message);
      else this.#tell(effect);
    this.#alarm.set(subscriptionsWakeAt(this.#state) ?? Infinity, moment.now);
  }

  #tell(news: SubscriptionNews): void {
    const { id } = news;
    const live = this.#views.get(id);
    if (news.type === "ended") this.#views.delete(id);
    if (!live) return;
    if (news.type === "changed") this.host.seen(newestOf(news.parts));
    if (news.type !== "digest") return live.hear(news);
    const parts = live.view.digests(news.partitionIds, news.salt);
    this.#do({ type: "digested", id, link: news.link, parts });
  }

  // ---------------------------------------------------------------- subscriptions

  open(query: Query, listener: Listener): LiveView<View> {
    const live: LiveView<View> = this.follow(query, listener, {
      make: (changed) => this.viewOf(query, "lww", changed),
      ask: async (untold) => {
        const { stamp, value } = await this.desk.read({ map: query.map, key: untold.key });
        live.view.learned(untold, stamp, value);
      },
    });
    for (const write of this.host.pendingOf(query.map))
      if (!write.op.type) live.view.wrote(write.id, write.op.key, contentOf(write));
    return live;
  }

  /** Throws where it is no query, or one too many. */
  follow<V extends Seen>(query: Query, listener: Listener, of: Followed<V>): LiveView<V> {
    refuse(listenerProblem(listener) ?? queryProblem(query) ?? tooMany(this.#views.size + 1));
    const id = this.#nextId++;
    const live = new LiveView(of.make, listener, {
      now: () => this.desk.now(),
      room: () => this.#room(),
      ask: (untold) => void this.#ask(of.ask(untold)),
      close: () => {
        this.#views.delete(id);
        this.#do({ type: "unsubscribe", id });
      },
    });
    this.#views.set(id, live);
    this.#do({ type: "subscribe", id, query });
    return live;
  }

  viewOf(query: Query, kind: ViewKind, changed: ViewPort["changed"]): View {
    return new View(
      query,
      {
        partitionCount: () => this.host.client.router.partitionCount,
        now: () => this.desk.now(),
        changed,
      },
      kind,
    );
  }

  toldOf(query: Query): Told {
    return new Told(query.map);
  }

  /** The application's own operations have half of the outbox to themselves. */
  #room(): number {
    const { outbox, settings } = this.host.client;
    return Math.min(UNTOLD_ASKED_MAX - this.#asked, settings.outboxMax / 2 - outbox.size);
  }

  async #ask(asking: Promise<void>): Promise<void> {
    this.#asked++;
    try {
      await asking;
    } catch {
      // It is asked again, as long as nobody tells of it.
    }
    this.#asked--;
  }

  // ---------------------------------------------------------------- what this client writes

  wrote(write: Write): void {
    for (const { view } of this.#of(write.op)) view.wrote(write.id, write.op.key, contentOf(write));
  }

  restamped(write: Write): void {
    for (const { view } of this.#of(write.op))
      view.restamped(write.id, write.op.key, contentOf(write));
  }

  /** `stands`: it is durable, or something newer is. */
  settled(id: number, of: Of, stands: boolean): void {
    for (const live of this.#of(of)) {
      live.view.settled(id, of.key, stands);
      live.awaitTold();
    }
  }

  #of({ map }: Of): readonly LiveView<View>[] {
    return [...this.#views.values()].filter(
      (live): live is LiveView<View> => live.view instanceof View && live.view.query.map === map,
    );
  }

  did(done: Done): void {
    this.followers?.did(done);
  }
}

/** The greatest of their stamps; null: there is none. */
function newestOf(parts: readonly ChangedPart[]): Stamp | null {
  let newest: Stamp | null = null;
  for (const { rows } of parts)
    for (const { kind, stamp } of rows)
      if (kind !== "pn" && (!newest || compareStamps(stamp, newest) > 0)) newest = stamp;
  return newest;
}

const tooMany = (value: number): ErrorInfo | null =>
  value <= SUBSCRIPTIONS_MAX
    ? null
    : borderError("OUT_OF_BOUNDS", {
        field: "subscriptions",
        value,
        min: 0,
        max: SUBSCRIPTIONS_MAX,
      });

const listenerProblem = (listener: unknown): ErrorInfo | null =>
  typeof listener === "function" ? null : malformed("a function")("listener");

function queryProblem({ map, prefix = "", keys = [], filter }: Query): ErrorInfo | null {
  return (
    mapProblem(map)?.("map") ??
    textProblem(prefix, 0, KEY_BYTES_MAX)?.("prefix") ??
    listProblem(keys, 0, SUBSCRIPTION_KEYS_MAX)?.("keys") ??
    keys.map((key, i) => keyProblem(key)?.(`keys[${i}]`)).find(Boolean) ??
    whereProblem(filter)
  );
}

const whereProblem = (filter: Query["filter"]): ErrorInfo | null =>
  filter === undefined ? null : (filterProblem(filter)?.("where") ?? null);
