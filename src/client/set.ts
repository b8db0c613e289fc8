/** One set of a grid: a value that is added while somebody else removes it stays. */
import { equalBytes } from "../data/bytes.ts";
import { elementHash, hashBefore } from "../data/element-hash.ts";
import { formatStamp, type Stamp } from "../data/hlc.ts";
import { checkKey } from "../protocol/checks.ts";
import { MEMBERS_MAX, TAGS_MAX } from "../protocol/limits.ts";
import type { ReadResult } from "../protocol/ops.ts";
import { textOf } from "../protocol/utf8.ts";
import { decodeJson, encodeJson } from "../protocol/values.ts";
import { answerOf, writtenOf, type Asks, type Written } from "./desk.ts";
import { Elements, type Element, type Found } from "./elements.ts";
import { ttlProblem } from "./entries.ts";
import { refuse, valueOf } from "./errors.ts";
import type { Loader } from "./loader.ts";
import type { Hub } from "./hub.ts";
import { isAdd, isRemoval, type Of, type Settled, type Write } from "./machine/ask.ts";
import type { ElementOf } from "./machine/removals.ts";
import type { SetOptions, WriteOptions } from "./map.ts";
import type { ElementChange } from "./subscribed.ts";
import { Subscription, type Following } from "./subscription.ts";

type Follows = Pick<Loader, "following"> & { readonly hub: Pick<Hub, "followers"> | null };

type Members = Extract<ReadResult, { type: "members" }>;

/** Values are told apart by what is stored of them: of two objects the order of the fields counts. */
export class GridSet<T> {
  readonly name: string;
  readonly key: string;
  readonly #desk: Asks;
  readonly #loader: Follows;
  readonly #elements: Elements;

  constructor(name: string, key: string, desk: Asks, loader: Follows) {
    this.name = name;
    this.key = key;
    this.#desk = desk;
    this.#loader = loader;
    this.#elements = new Elements(desk.defaults.localMax);
  }

  /** Resolves when it is durable. `superseded`: somebody has removed it already. */
  async add(value: T, { ttl, ack = this.#desk.defaults.ack }: SetOptions = {}): Promise<Written> {
    refuse(ttlProblem(ttl));
    const bytes = this.#bytesOf(value);
    const name = textOf(bytes);
    const element = this.#elements.begin(name, value);
    const keep = ({ id, op }: Write): unknown => element.own.set(id, op.stamp);
    try {
      const draft = { type: "add", ...this.#of, value: bytes } as const;
      const event = { type: "write", draft, ttlMs: ttl ?? null, ack } as const;
      const { ask, settled } = this.#desk.ask(event, keep);
      element.isThere = true;
      if (isAdd(ask)) keep(ask);
      const last = await settled;
      const written = writtenOf(last);
      if (!written.superseded && isAdd(last.ask)) know(element, [last.ask.op.stamp]);
      return written;
    } finally {
      this.#elements.end(name, element);
    }
  }

  /**
   * Removes what this client has seen of it: its own adds, and those that came with `has` or `values`, or were told. Where it has seen
   * none, the owner is asked first. Whatever was added unseen stays. Behind own adds that are not settled it waits for these.
   */
  async delete(value: T, { ack = this.#desk.defaults.ack }: WriteOptions = {}): Promise<Written> {
    const bytes = this.#bytesOf(value);
    const name = textOf(bytes);
    const element = this.#elements.begin(name, value);
    const of = { ...this.#of, value: bytes };
    know(element, this.#loader.hub?.followers.tagsOf(this.#of, name) ?? []);
    try {
      const adds = this.#desk.addsOf(of);
      const tags = [...element.tags.values()];
      const isSeen = tags.length + adds.length > 0;
      if (!isSeen) {
        element.isThere = false;
        const before = element.own.size;
        const there = await this.#look(of);
        const later = new Set([...element.own.values()].slice(before).map(formatStamp));
        tags.push(...there.filter((tag) => !later.has(formatStamp(tag))));
      }
      know(element, tags);
      const asked: Promise<Settled>[] = [];
      while (tags.length + adds.length > 0) {
        const draft = { type: "remove", ...of, tags: tags.splice(0, TAGS_MAX) } as const;
        const behind = adds.splice(0, TAGS_MAX - draft.tags.length);
        asked.push(this.#desk.ask({ type: "write", draft, ttlMs: null, ack, behind }).settled);
      }
      if (isSeen) element.isThere = false;
      for (const settled of await Promise.all(asked)) {
        writtenOf(settled);
        if (isRemoval(settled.ask)) forget(element, settled.ask.op.tags);
      }
      return { superseded: false };
    } finally {
      this.#elements.end(name, element);
    }
  }

  /** Asks the owner, except while an own operation on that value is not acknowledged: then it is as that one says. */
  async has(value: T): Promise<boolean> {
    const bytes = this.#bytesOf(value);
    const name = textOf(bytes);
    const known = this.#elements.at(name);
    if (known && known.unsettled > 0) return known.isThere;
    const there = await this.#learn(async () => {
      const tags = await this.#look({ ...this.#of, value: bytes });
      return new Map(tags.length > 0 ? [[name, { value, tags }]] : []);
    }, [name]);
    return there.length > 0;
  }

  /** What the owner has, in an order that means nothing, and what of this client's is not acknowledged. */
  async values(): Promise<T[]> {
    const there = await this.#learn(async () => {
      const found = new Map<string, Found>();
      let after: string | null = null;
      do {
        // oxlint-disable-next-line no-await-in-loop -- each page says where the next one begins
        const page: Members = await this.#members(after, MEMBERS_MAX);
        for (const { value, tags } of page.members)
          found.set(textOf(value), { value: valueOf(decodeJson(value, "value")), tags });
        ({ after } = page);
      } while (after !== null);
      return found;
    });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the application names what it stores
    return there as T[];
  }

  /** What an owner says is put under what this client does meanwhile. */
  async #learn(
    find: () => Promise<ReadonlyMap<string, Found>>,
    names?: Iterable<string>,
  ): Promise<readonly unknown[]> {
    const since = this.#elements.ask();
    try {
      return this.#elements.learn(since, await find(), names);
    } finally {
      this.#elements.asked();
    }
  }

  async size(): Promise<number> {
    return (await this.values()).length;
  }

  /** What this client knows of, at once and without asking anybody: others may have added and removed since. */
  peek(): T[] {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    return this.#elements.values() as T[];
  }

  /**
   * `listener` hears all that there is, then what changes, whoever does it: each value once for all that came in one go. What this
   * client does at once, and taken back where it is refused. It goes on as a map's subscription does, until `close`.
   */
  subscribe(listener: (changes: readonly ElementChange<T>[]) => void): Following {
    return new Subscription(this.#loader.following("set", this.#of, listener));
  }

  get #of(): Of {
    return { map: this.name, key: this.key };
  }

  /** The tags of its adds at the owner. */
  async #look(of: ElementOf): Promise<readonly Stamp[]> {
    // All elements of one hash are in one answer.
    const { members } = await this.#members(hashBefore(elementHash(of.value)), 1);
    return members.find(({ value }) => equalBytes(value, of.value))?.tags ?? [];
  }

  async #members(after: string | null, limit: number): Promise<Members> {
    refuse(checkKey(this.name, this.key));
    const key = { type: "members", ...this.#of, after, limit } as const;
    return answerOf(await this.#desk.ask({ type: "read", key }).settled, "members");
  }

  #bytesOf(value: T): Uint8Array {
    refuse(checkKey(this.name, this.key));
    return valueOf(encodeJson(value, "value"));
  }
}

function know(element: Element, tags: readonly Stamp[]): void {
  for (const tag of tags) element.tags.set(formatStamp(tag), tag);
}

function forget(element: Element, tags: readonly Stamp[] | null): void {
  for (const tag of tags ?? []) element.tags.delete(formatStamp(tag));
}
