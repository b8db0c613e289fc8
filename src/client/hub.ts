/**
 * All subscriptions of a client: each hears of its own news, and of what this client writes to its map. With all that it needs it is
 * loaded when somebody subscribes first.
 */
import { partitionOf } from "../data/hash.ts";
import { compareStamps, type Stamp } from "../data/hlc.ts";
import { Epoch, Seq } from "../data/ids.ts";
import { borderError } from "../protocol/border-errors.ts";
import { malformed } from "../protocol/checks.ts";
import type { Told as Answer } from "../protocol/client-messages.ts";
import type { ErrorInfo } from "../protocol/errors.ts";
import { SUBSCRIPTIONS_MAX } from "../protocol/limits.ts";
import { decodeSubscribed, encodeSubscriber } from "../protocol/subscriber-codec.ts";
import type { ChangedPart, Position, Query } from "../protocol/subscription-messages.ts";
import { Alarm } from "./alarm.ts";
import type { Desk } from "./desk.ts";
import { refuse, type GridErrorInfo } from "./errors.ts";
import type { Followed, FollowerPort } from "./follower.ts";
import { Followers } from "./followers.ts";
import type { Done, Guest, Host, KeptQuery } from "./host.ts";
import { UNTOLD_ASKED_MAX } from "./subscription-limits.ts";
import { LiveView, type Listener, type Seen } from "./live-view.ts";
import {
  contentOf,
  isOfEntry,
  type Ask,
  type Change,
  type Of,
  type Settled,
  type Write,
} from "./machine/ask.ts";
import { everyAsk } from "./machine/outbox-state.ts";
import type { Said } from "./machine/session.ts";
import {
  beginSubscriptions,
  stepSubscriptions,
  subscriptionsWakeAt,
  type Positions,
  type Subscriptions,
  type SubscriptionNews,
  type SubscriptionsEvent,
} from "./machine/subscriptions.ts";
import { queryOf, queryProblem, textOfQuery } from "./query.ts";
import { orderProblem, Ranking, type Order } from "./ranking.ts";
import type { GivenOptions } from "./subscribed.ts";
import { Told, type Keep } from "./told.ts";
import { View, type ViewKind, type ViewPort } from "./view.ts";

interface Opened {
  readonly kept: KeptQuery | null;
  readonly ranking: Ranking | null;
}

export class Hub implements Guest, FollowerPort {
  readonly host: Host;
  readonly desk: Desk;
  /** Of sets and counters. */
  readonly followers = new Followers(this);
  readonly #views = new Map<number, LiveView>();
  /** Where goes what is told, by the text of the query. */
  readonly #keeps = new Map<string, Keep>();
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

  up(link: number): void {
    this.#do({ type: "linked", link });
  }

  down(link: number): void {
    this.#do({ type: "unlinked", link });
  }

  heard(link: number, bytes: Uint8Array): boolean {
    const message = decodeSubscribed(bytes);
    if (message.ok) this.#do({ type: "told", link, message: message.value });
    return message.ok || message.error.code === "UNKNOWN_MESSAGE";
  }

  told(link: number, message: Answer): void {
    if (message.type !== "ERROR" || message.seq === null) return;
    const { seq, error } = message;
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
      if (effect.type === "send") this.host.send(effect.link, encodeSubscriber(effect.message));
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

  async opening(
    map: string,
    listener: Listener,
    options: GivenOptions,
  ): Promise<() => LiveView<View>> {
    const query = queryOf(map, options);
    const ranking = rankingOf(options);
    const kept = await this.keptOf(query);
    return () => this.#open(query, listener, { kept, ranking });
  }

  /** null: nothing is kept here. */
  async keptOf(query: Query): Promise<KeptQuery | null> {
    return (await this.host.persistence?.follow(textOfQuery(query))) ?? null;
  }

  #open(query: Query, listener: Listener, { kept, ranking }: Opened): LiveView<View> {
    const live: LiveView<View> = this.follow(query, listener, {
      kept,
      make: (changed) => new View(query, { ...this.#portOf(query, changed), ranking }),
      ask: async (untold) => {
        const { stamp, value } = await this.desk.read({ map: query.map, key: untold.key });
        live.view.learned(untold, stamp, value);
      },
    });
    for (const change of this.pendingOf(query.map))
      if (isOfEntry(change)) live.view.wrote(change.id, change.op.key, contentOf(change));
    return live;
  }

  /** Throws where it is no query, or one too many. */
  follow<V extends Seen>(query: Query, listener: Listener, of: Followed<V>): LiveView<V> {
    const { kept } = of;
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
    const positions = kept ? this.#restore(live, query, kept) : NOWHERE;
    this.#do({ type: "subscribe", id, query, positions });
    return live;
  }

  viewOf(query: Query, kind: ViewKind, changed: ViewPort["changed"]): View {
    return new View(query, this.#portOf(query, changed), kind);
  }

  #portOf(query: Query, changed: ViewPort["changed"]): ViewPort {
    return {
      partitionCount: () => this.host.client.router.partitionCount,
      now: () => this.desk.now(),
      changed,
      keep: this.#keepOf(query),
    };
  }

  toldOf(query: Query): Told {
    return new Told(query.map, this.#keepOf(query));
  }

  #keepOf(query: Query): Keep {
    const text = textOfQuery(query);
    return (name, row) => this.#keeps.get(text)?.(name, row);
  }

  /** What was told when it was followed last is shown at once, and compared with what there is: nobody knows how old it is. */
  #restore(live: LiveView, query: Query, { rows, keep }: KeptQuery): Positions {
    const { partitionCount } = this.host.client.router;
    const byPartition = Map.groupBy(rows, ({ key }) => partitionOf(key, partitionCount));
    const parts = [...byPartition].map(([partitionId, some]) => ({ partitionId, rows: some }));
    live.hear({ type: "changed", id: 0, parts: parts.map((part) => ({ ...part, ...A_PART })) });
    this.#keeps.set(textOfQuery(query), keep);
    return new Map(parts.map(({ partitionId }) => [partitionId, UNKNOWN]));
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

  pendingOf(map: string): readonly Change[] {
    return everyAsk(this.host.client.outbox)
      .filter((ask) => ask.kind !== "read")
      .filter(({ op }) => op.map === map)
      .toSorted((a, b) => a.id - b.id);
  }

  did(done: Done): void {
    switch (done.type) {
      case "taken":
        return this.#wrote(done.ask);
      case "restamped":
        for (const write of done.writes) this.#restamped(write);
        return;
      case "settled":
        for (const settled of done.all) this.#settled(settled);
        return;
      default:
    }
  }

  #wrote(ask: Ask): void {
    this.followers.wrote(ask);
    if (!isOfEntry(ask)) return;
    for (const { view } of this.#of(ask.op)) view.wrote(ask.id, ask.op.key, contentOf(ask));
  }

  #restamped(write: Write): void {
    this.followers.restamped(write);
    if (!isOfEntry(write)) return;
    const { id, op } = write;
    for (const { view } of this.#of(op)) view.restamped(id, op.key, contentOf(write));
  }

  #settled(settled: Settled): void {
    this.followers.settled(settled);
    const { ask, outcome } = settled;
    if (!isOfEntry(ask)) return;
    for (const live of this.#of(ask.op)) {
      live.view.settled(ask.id, ask.op.key, outcome.type !== "refused");
      live.awaitTold();
    }
  }

  #of({ map }: Of): readonly LiveView<View>[] {
    return [...this.#views.values()].filter(
      (live): live is LiveView<View> => live.view instanceof View && live.view.query.map === map,
    );
  }
}

/** No owner's: each compares what it has with what is here. */
const UNKNOWN: Position = { since: Epoch(0), seq: Seq(0) };
const NOWHERE: Positions = new Map();
const A_PART = { position: null, replaces: null };

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

/** null: all is told, in no order. Throws where it can be none. */
function rankingOf(order: Order): Ranking | null {
  refuse(orderProblem(order));
  const { orderBy, descending, limit } = order;
  return (orderBy ?? descending ?? limit) === undefined ? null : new Ranking(order);
}
