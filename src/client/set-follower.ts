/**
 * One set: an element is there as long as one of its adds is. Each add is shown by itself, as an entry is, of what was told and what
 * this client has done the newer; here they are put together.
 */
import { hashBefore } from "../data/element-hash.ts";
import { elementSub, hashIn } from "../data/element.ts";
import type { DigestKey } from "../data/digest.ts";
import type { Stamp } from "../data/hlc.ts";
import type { PartitionId } from "../data/ids.ts";
import type { Content } from "../data/content.ts";
import type { ChangedPart, PartDigest, Query } from "../protocol/subscription-messages.ts";
import { textOf } from "../protocol/utf8.ts";
import type { Changed, Follower, FollowerPort } from "./follower.ts";
import {
  contentOf,
  isAdd,
  isRemoval,
  type Add,
  type Change,
  type Of,
  type Outcome,
  type Removal,
  type StampedOp,
  type Write,
} from "./machine/ask.ts";
import { queryAbout } from "./query.ts";
import type { ElementChange } from "./subscribed.ts";
import type { Untold, View, ViewChange } from "./view.ts";

interface Element {
  readonly value: unknown;
  /** Its adds: the tag of each, by its `sub`. */
  readonly adds: Map<string, Stamp>;
}

/** An own operation that is not settled, and the adds that it is about. */
interface Pending {
  readonly isOfAdd: boolean;
  readonly subs: ReadonlySet<string>;
}

export class SetFollower implements Follower {
  readonly of: Of;
  readonly query: Query;
  readonly #hub: FollowerPort;
  readonly #changed: Changed;
  readonly #adds: View;
  /** By their bytes, as a text. */
  readonly #elements = new Map<string, Element>();
  /** By the `sub` of each of its adds. */
  readonly #names = new Map<string, string>();
  /** By number. */
  readonly #pending = new Map<number, Pending>();
  /** Own adds that are not settled: their tags may change. */
  readonly #adding = new Set<string>();
  /** By number of such an add: what waits for its tag. */
  readonly #removals = new Map<number, Removal>();
  /** What the application was told is there. */
  readonly #told = new Set<string>();

  constructor(hub: FollowerPort, of: Of, changed: Changed) {
    this.of = of;
    this.query = queryAbout(of);
    this.#hub = hub;
    this.#changed = changed;
    this.#adds = hub.viewOf(this.query, "or", (change, row) => this.#take(change, row));
  }

  // ---------------------------------------------------------------- its adds

  take(parts: readonly ChangedPart[]): void {
    this.#adds.take(parts);
  }

  digests(partitionIds: readonly PartitionId[], salt: DigestKey): readonly PartDigest[] {
    return this.#adds.digests(partitionIds, salt);
  }

  synced(): void {
    this.#adds.synced();
  }

  get expiresAt(): number {
    return this.#adds.expiresAt;
  }

  expire(): void {
    this.#adds.expire();
  }

  get untoldAt(): number {
    return this.#adds.untoldAt;
  }

  takeUntold(max: number): readonly Untold[] {
    return this.#adds.takeUntold(max);
  }

  async doubt(untold: Untold): Promise<void> {
    const hash = hashIn(untold.key);
    const key = { type: "members", ...this.of, after: hashBefore(hash), limit: 1 } as const;
    const { outcome } = await this.#hub.desk.ask({ type: "read", key }).settled;
    if (outcome.type !== "members") return;
    for (const { value, tags } of outcome.members)
      for (const tag of tags)
        if (elementSub(value, tag) === untold.key) return this.#adds.learned(untold, tag, value);
    this.#adds.learned(untold, null, null);
  }

  // ---------------------------------------------------------------- what is shown

  /** Each element that is there and was not, or was and is not. */
  news(changes: readonly ViewChange[]): readonly ElementChange<unknown>[] | undefined {
    const news = changes.flatMap(({ key: name, value }) => {
      const isThere = this.#isThere(name);
      if (this.#told.has(name) === isThere) return [];
      if (isThere) this.#told.add(name);
      else this.#told.delete(name);
      return { value, isThere };
    });
    return news.length > 0 ? news : undefined;
  }

  #isThere(name: string): boolean {
    return this.#elements.has(name);
  }

  /** `row` null: that add is there no more. */
  #take({ key: sub, value }: ViewChange, row: Content | null): void {
    const name = row?.value ? textOf(row.value) : this.#names.get(sub);
    if (name === undefined) return;
    const element = this.#elements.get(name) ?? { value, adds: new Map() };
    this.#elements.set(name, element);
    if (row) {
      this.#names.set(sub, name);
      element.adds.set(sub, row.stamp);
    } else {
      this.#names.delete(sub);
      element.adds.delete(sub);
    }
    if (element.adds.size === 0) this.#elements.delete(name);
    this.#changed({ key: name, value: element.value });
  }

  // ---------------------------------------------------------------- what this client does

  wrote(ask: Change): void {
    if (isAdd(ask)) this.#add(ask);
    if (isRemoval(ask)) this.#remove(ask);
  }

  restamped(write: Write): void {
    if (isAdd(write)) this.#retag(write);
    if (isRemoval(write)) this.#remove(write);
  }

  #add(add: Add): void {
    const sub = elementSub(add.op.value, add.op.stamp);
    this.#pending.set(add.id, { isOfAdd: true, subs: new Set([sub]) });
    this.#adding.add(sub);
    this.#adds.wrote(add.id, sub, contentOf(add));
  }

  /** Under another tag it is another add. */
  #retag(add: Add): void {
    const [before] = this.#pending.get(add.id)?.subs ?? [];
    if (before === undefined || before === elementSub(add.op.value, add.op.stamp)) return;
    this.#add(add);
    this.#end(add.id, before, false);
    const removal = this.#removals.get(add.id);
    if (removal) this.#remove(removal);
  }

  /** What it names, and what it waits for. Also when it has another stamp or other tags. */
  #remove(removal: Removal): void {
    const { id, op, behind } = removal;
    for (const add of behind) this.#removals.set(add, removal);
    const named = (op.tags ?? []).map((tag) => elementSub(op.value, tag));
    const others = behind.flatMap((add) => [...(this.#pending.get(add)?.subs ?? [])]);
    const subs = new Set([...named, ...others]);
    const { subs: before } = this.#pending.get(id) ?? NOTHING;
    this.#pending.set(id, { isOfAdd: false, subs });
    for (const sub of subs)
      if (before.has(sub)) this.#adds.restamped(id, sub, removalOf(op));
      else this.#adds.wrote(id, sub, removalOf(op));
    for (const sub of before) if (!subs.has(sub)) this.#end(id, sub, false);
  }

  settled(id: number, { type }: Outcome): void {
    const { isOfAdd, subs } = this.#pending.get(id) ?? NOTHING;
    this.#pending.delete(id);
    this.#removals.delete(id);
    // An add that somebody has removed already may have been told as gone before.
    const stands = type !== "refused" && !(isOfAdd && type === "superseded");
    for (const sub of subs) this.#end(id, sub, stands);
  }

  #end(id: number, sub: string, stands: boolean): void {
    this.#adding.delete(sub);
    this.#adds.settled(id, sub, stands);
  }

  /** Of those of its adds that are shown, and settled. */
  tagsOf(name: string): readonly Stamp[] {
    const { adds } = this.#elements.get(name) ?? {};
    return [...(adds ?? [])].flatMap(([sub, tag]) => (this.#adding.has(sub) ? [] : tag));
  }
}

const removalOf = ({ stamp }: StampedOp): Content => ({ stamp, value: null, expiresAt: null });

const NOTHING: Pending = { isOfAdd: false, subs: new Set() };
