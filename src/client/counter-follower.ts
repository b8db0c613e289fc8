/**
 * One counter: what others have added, as it was told, and what this client has, as it knows itself. What is told of its own adds
 * nothing, so nothing of that counts twice or is missing for a moment; it shows if an owner has lost some of it. What a page that is
 * no more has left counts as what is told does, of both the greater.
 */
import { countSub, decodeTotal, sideIn } from "../data/count.ts";
import { COUNT_STAMP } from "../data/count-stamp.ts";
import type { DigestKey } from "../data/digest.ts";
import type { PartitionId } from "../data/ids.ts";
import type { Row } from "../data/row.ts";
import type { ChangedPart, PartDigest, Query } from "../protocol/subscription-messages.ts";
import type { Changed, Follower, FollowerPort } from "./follower.ts";
import { TOLD_MS_MAX } from "./subscription-limits.ts";
import { isCounted, type Change, type Of, type Outcome } from "./machine/ask.ts";
import { counterAt } from "./machine/counters.ts";
import { queryAbout } from "./query.ts";
import type { Told } from "./told.ts";
import type { Untold } from "./view.ts";

interface Counted {
  readonly replica: string;
  readonly by: number;
}

/** What a page that is no more has counted in all, and this one says. */
interface Left extends Counted {
  readonly id: number;
  /** It is durable, and will be told. */
  isSaid: boolean;
}

interface Own {
  /** All but what was refused, sent or not. */
  readonly added: number;
  readonly isSettled: boolean;
}

export class CounterFollower implements Follower {
  readonly of: Of;
  readonly query: Query;
  readonly #hub: FollowerPort;
  readonly #changed: Changed;
  readonly #told: Told;
  /** Each side of each replica, by its `sub`. */
  readonly #counts = new Map<string, Counted>();
  readonly #left = new Map<string, Left>();
  #others = 0;
  #ownTold = 0;
  /** Since when what this client has added is not what was told of it; Infinity: it is. */
  #untoldSince = Infinity;
  /** All that there is has been told once, be it to a page before this one. */
  #isKnown: boolean;
  #total = 0;
  /** What the application was told. */
  #heard: number | undefined;

  constructor(hub: FollowerPort, of: Of, changed: Changed, isKnown: boolean) {
    this.#isKnown = isKnown;
    this.of = of;
    this.query = queryAbout(of);
    this.#hub = hub;
    this.#changed = changed;
    this.#told = hub.toldOf(this.query);
  }

  // ---------------------------------------------------------------- what is told

  take(parts: readonly ChangedPart[]): void {
    for (const part of parts)
      for (const which of this.#told.take(part).values()) {
        if (which.kind !== "pn") continue;
        const row = this.#told.row(part.partitionId, which);
        const count = row && countIn(row);
        if (count) this.#counts.set(which.sub, count);
        else this.#counts.delete(which.sub);
        const left = this.#left.get(which.sub);
        // What was told may be older than the acknowledgement.
        if (left?.isSaid && size(count) >= size(left)) this.#left.delete(which.sub);
      }
    this.#sum();
    this.#look();
  }

  /** Anew: from a sum that is no longer exact nothing can be taken away. */
  #sum(): void {
    const { replicaId } = this.#hub.host.client.settings;
    let [others, own] = [0, 0];
    for (const { replica, by } of this.#greatest())
      if (replica === replicaId) own += by;
      else others += by;
    this.#others = others;
    this.#ownTold = own;
  }

  *#greatest(): Iterable<Counted> {
    for (const [sub, left] of this.#left) if (size(left) > size(this.#counts.get(sub))) yield left;
    for (const [sub, told] of this.#counts) if (size(told) >= size(this.#left.get(sub))) yield told;
  }

  digests(partitionIds: readonly PartitionId[], salt: DigestKey): readonly PartDigest[] {
    return this.#told.digests(partitionIds, salt);
  }

  synced(): void {
    this.#isKnown = true;
    for (const [sub, { isSaid }] of this.#left) if (isSaid) this.#left.delete(sub);
    this.#sum();
    this.#lookAnew();
  }

  get expiresAt(): number {
    return this.#told.expiresAt;
  }

  /** No count does, but one key may hold other rows. */
  expire(): void {
    this.#told.expire(this.#hub.desk.now());
  }

  // ---------------------------------------------------------------- what is shown

  /** As soon as all is known, and then whenever it is another. */
  news(): number | undefined {
    if (this.#heard === this.#total) return undefined;
    this.#heard = this.#total;
    return this.#heard;
  }

  #look(): void {
    if (!this.#isKnown) return;
    const { added } = this.#own();
    const isTold = added === this.#ownTold;
    this.#untoldSince = isTold ? Infinity : Math.min(this.#untoldSince, this.#hub.desk.now());
    this.#total = this.#others + added;
    this.#changed({ key: this.of.key, value: this.#total });
  }

  // ---------------------------------------------------------------- what this client does

  wrote({ id, op }: Change): void {
    if (op.type === "count" && op.replica !== undefined) {
      const { replica, inc, dec } = op;
      this.#left.set(countSub(replica, "inc"), { replica, by: inc, id, isSaid: false });
      this.#left.set(countSub(replica, "dec"), { replica, by: -dec, id, isSaid: false });
      this.#sum();
    }
    this.#look();
  }

  /** No count has a stamp. */
  restamped(): void {}

  settled(id: number, { type }: Outcome): void {
    for (const [sub, left] of this.#left) {
      if (left.id !== id) continue;
      if (type === "refused") this.#left.delete(sub);
      else left.isSaid = true;
      this.#sum();
    }
    this.#lookAnew();
  }

  /** What is not told of this client's own waits from now on. */
  #lookAnew(): void {
    this.#untoldSince = Infinity;
    this.#look();
  }

  #own(): Own {
    const { counters } = this.#hub.host.client.outbox;
    const counter = counterAt(counters, this.of);
    if (!counter) return { added: 0, isSettled: true };
    let added = counter.said.inc - counter.said.dec;
    for (const ask of counter.behind.slice(0)) if (isCounted(ask)) added += ask.by;
    return { added, isSettled: !counter.isBusy };
  }

  // ---------------------------------------------------------------- what nobody tells

  get untoldAt(): number {
    return this.#untoldSince + TOLD_MS_MAX;
  }

  takeUntold(max: number): readonly Untold[] {
    const now = this.#hub.desk.now();
    if (max < 1 || this.untoldAt > now || !this.#own().isSettled) return [];
    this.#untoldSince = now;
    return [{ key: this.of.key, row: TOTAL }];
  }

  /** Its owner has lost what was acknowledged, or has what was refused. A total says all, so it is said again. */
  async doubt(): Promise<void> {
    const again = { type: "count", ...this.of, by: 0, ack: "owner" } as const;
    await this.#hub.desk.ask(again).settled;
  }
}

const size = (count?: Counted | null): number => Math.abs(count?.by ?? 0);

const TOTAL = { stamp: COUNT_STAMP, value: null, expiresAt: null };

/** Null: it is no count. */
function countIn({ sub, value }: Row): Counted | null {
  const count = sideIn(sub);
  const total = value && decodeTotal(value);
  if (!count || !total?.ok) return null;
  return { replica: count.replica, by: count.side === "inc" ? total.value : -total.value };
}
