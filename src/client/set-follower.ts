/**
 * One set: an element is there as long as one of its adds is. Each add is shown by itself, as an entry is, of what was told and what
 * this client has done the newer; here they are put together.
 */
import { elementSub, hashBefore, hashIn } from "../data/element.ts";
import type { DigestKey } from "../data/digest.ts";
import type { Stamp } from "../data/hlc.ts";
import type { PartitionId } from "../data/ids.ts";
import type { Content } from "../data/row.ts";
import type { ChangedPart, PartDigest, Query } from "../protocol/subscription-messages.ts";
import { textOf } from "../protocol/utf8.ts";
import type { Changed, Follower, FollowerPort, Removal } from "./follower.ts";
import {
  contentOf,
  isWrite,
  type Change,
  type Of,
  type Outcome,
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
  /** Those that each removal that is under way hides. */
  readonly removals: Set<Set<string>>;
}

/** An own operation that is not settled, and the adds that it is about. */
interface Pending {
  readonly isAdd: boolean;
  readonly subs: readonly string[];
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
    const { adds, removals } = this.#elements.get(name) ?? NOTHING;
    const isHidden = (sub: string): boolean => [...removals].some((hidden) => hidden.has(sub));
    return [...adds.keys()].some((sub) => !isHidden(sub));
  }

  /** `row` null: that add is there no more. */
  #take({ key: sub, value }: ViewChange, row: Content | null): void {
    const name = row?.value ? textOf(row.value) : this.#names.get(sub);
    if (name === undefined) return;
    const element = this.#elements.get(name) ?? { value, adds: new Map(), removals: new Set() };
    this.#elements.set(name, element);
    if (row) {
      this.#names.set(sub, name);
      element.adds.set(sub, row.stamp);
    } else {
      this.#names.delete(sub);
      element.adds.delete(sub);
    }
    this.#look(name, element);
  }

  #look(name: string, { value, adds, removals }: Element): void {
    if (adds.size + removals.size === 0) this.#elements.delete(name);
    this.#changed({ key: name, value });
  }

  // ---------------------------------------------------------------- what this client does

  wrote(ask: Change): void {
    if (!isWrite(ask)) return;
    const { id, op } = ask;
    if (op.type === "add") this.#add(ask, elementSub(op.value, op.stamp));
    if (op.type !== "remove") return;
    const subs = (op.tags ?? []).map((tag) => elementSub(op.value, tag));
    this.#pending.set(id, { isAdd: false, subs });
    for (const sub of subs) this.#adds.wrote(id, sub, removalOf(op));
  }

  #add(add: Write, sub: string): void {
    this.#pending.set(add.id, { isAdd: true, subs: [sub] });
    this.#adding.add(sub);
    this.#adds.wrote(add.id, sub, contentOf(add));
  }

  restamped(write: Write): void {
    const { id, op } = write;
    const { subs = [] } = this.#pending.get(id) ?? {};
    for (const sub of op.type === "remove" ? subs : [])
      this.#adds.restamped(id, sub, removalOf(op));
    if (op.type === "add") this.#retag(write, elementSub(op.value, op.stamp), subs);
  }

  /** Under another tag it is another add. */
  #retag(write: Write, sub: string, subs: readonly string[]): void {
    const [before] = subs;
    if (before === undefined || before === sub) return;
    const name = this.#names.get(before) ?? "";
    for (const hidden of this.#elements.get(name)?.removals ?? [])
      if (hidden.delete(before)) hidden.add(sub);
    this.#add(write, sub);
    this.#end(write.id, before, false);
  }

  settled(id: number, { type }: Outcome): void {
    const { isAdd, subs } = this.#pending.get(id) ?? { isAdd: false, subs: [] };
    this.#pending.delete(id);
    // An add that somebody has removed already may have been told as gone before.
    const stands = type !== "refused" && !(isAdd && type === "superseded");
    for (const sub of subs) this.#end(id, sub, stands);
  }

  #end(id: number, sub: string, stands: boolean): void {
    this.#adding.delete(sub);
    this.#adds.settled(id, sub, stands);
  }

  /** What there is of it now is hidden. What is not settled of that, its set removes when it knows the tags. */
  removing(name: string): readonly Removal[] {
    const element = this.#elements.get(name);
    if (!element) return [];
    const hidden = new Set(element.adds.keys());
    element.removals.add(hidden);
    this.#look(name, element);
    const tags = [...element.adds].flatMap(([sub, tag]) => (this.#adding.has(sub) ? [] : tag));
    const end = (): void => {
      element.removals.delete(hidden);
      this.#look(name, element);
    };
    return [{ tags, end }];
  }
}

const removalOf = ({ stamp }: StampedOp): Content => ({ stamp, value: null, expiresAt: null });

const NOTHING: Pick<Element, "adds" | "removals"> = { adds: new Map(), removals: new Set() };
