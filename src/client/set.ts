/** One set of a grid: a value that is added while somebody else removes it stays. */
import { equalBytes } from "../data/bytes.ts";
import { elementHash, hashBefore } from "../data/element.ts";
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
import type { HubLoader } from "./hub-loader.ts";
import type { Hub } from "./hub.ts";
import { isWrite, type Of, type Settled } from "./machine/ask.ts";
import type { SetOptions, WriteOptions } from "./map.ts";
import type { ElementChange } from "./subscribed.ts";
import { Subscription, type Following } from "./subscription.ts";

type Loader = Pick<HubLoader, "following"> & { readonly hub: Pick<Hub, "followers"> | null };

type Members = Extract<ReadResult, { type: "members" }>;

/** Values are told apart by what is stored of them: of two objects the order of the fields counts. */
export class GridSet<T> {
  readonly name: string;
  readonly key: string;
  readonly #desk: Asks;
  readonly #loader: Loader;
  readonly #elements: Elements;

  constructor(name: string, key: string, desk: Asks, loader: Loader) {
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
    const element = this.#elements.begin(name, value, true);
    try {
      const draft = { type: "add", ...this.#of, value: bytes } as const;
      const { settled } = this.#desk.ask({ type: "write", draft, ttlMs: ttl ?? null, ack });
      const tag = settled.then(tagsOf);
      element.adding.add(tag);
      const last = await settled;
      element.adding.delete(tag);
      const written = writtenOf(last);
      if (!written.superseded) know(element, tagsOf(last));
      return written;
    } finally {
      this.#elements.end(name, element);
    }
  }

  /**
   * Removes what this client has seen of it: its own adds, and those that came with `has` or `values`, or were told. Where it has seen
   * none, the owner is asked first. Whatever was added unseen stays.
   */
  async delete(value: T, { ack = this.#desk.defaults.ack }: WriteOptions = {}): Promise<Written> {
    const bytes = this.#bytesOf(value);
    const name = textOf(bytes);
    const element = this.#elements.begin(name, value, false);
    const removal = this.#loader.hub?.followers.removing(this.#of, name);
    know(element, removal?.tags ?? []);
    try {
      const tags = [...element.tags.values()];
      // The tag of an add may change until a node has it, so its removal waits for that.
      if (element.adding.size > 0) tags.push(...(await Promise.all(element.adding)).flat());
      if (tags.length === 0) tags.push(...(await this.#look(bytes)));
      know(element, tags);
      for (let at = 0; at < tags.length; at += TAGS_MAX) {
        const some = tags.slice(at, at + TAGS_MAX);
        const draft = { type: "remove", ...this.#of, value: bytes, tags: some } as const;
        const { settled } = this.#desk.ask({ type: "write", draft, ttlMs: null, ack });
        // oxlint-disable-next-line no-await-in-loop -- nearly always there is one
        writtenOf(await settled);
        for (const tag of some) element.tags.delete(formatStamp(tag));
      }
      return { superseded: false };
    } finally {
      removal?.end();
      this.#elements.end(name, element);
    }
  }

  /** Asks the owner, except while an own operation on that value is not acknowledged: then it is as that one says. */
  async has(value: T): Promise<boolean> {
    const bytes = this.#bytesOf(value);
    const name = textOf(bytes);
    const known = this.#elements.at(name);
    if (known && known.unsettled > 0) return known.isThere;
    const since = this.#elements.ask();
    try {
      const tags = await this.#look(bytes);
      const found = new Map<string, Found>(tags.length > 0 ? [[name, { value, tags }]] : []);
      return this.#elements.learn(since, found, [name]).length > 0;
    } finally {
      this.#elements.asked();
    }
  }

  /** What the owner has, in an order that means nothing, and what of this client's is not acknowledged. */
  async values(): Promise<T[]> {
    const since = this.#elements.ask();
    try {
      const found = new Map<string, Found>();
      let after: string | null = null;
      do {
        // oxlint-disable-next-line no-await-in-loop -- each page says where the next one begins
        const page: Members = await this.#members(after, MEMBERS_MAX);
        for (const { value, tags } of page.members)
          found.set(textOf(value), { value: valueOf(decodeJson(value, "value")), tags });
        ({ after } = page);
      } while (after !== null);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the application names what it stores
      return this.#elements.learn(since, found) as T[];
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

  /** The tags of its adds at the owner. All elements of one hash are in one answer. */
  async #look(bytes: Uint8Array): Promise<readonly Stamp[]> {
    const { members } = await this.#members(hashBefore(elementHash(bytes)), 1);
    return members.find(({ value }) => equalBytes(value, bytes))?.tags ?? [];
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

/** Of an add: its tag, as it was in the end. */
const tagsOf = ({ ask }: Settled): readonly Stamp[] => (isWrite(ask) ? [ask.op.stamp] : []);
