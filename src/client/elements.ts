/**
 * What this client knows of one set: each value that it has read or added, the tags of its adds that were seen, and what of
 * its own operations is not settled. What it does itself stands over what is read meanwhile.
 */
import { formatStamp, type Stamp } from "../data/hlc.ts";

export interface Found {
  readonly value: unknown;
  readonly tags: readonly Stamp[];
}

export interface Element {
  readonly value: unknown;
  /** By their text. */
  readonly tags: Map<string, Stamp>;
  /** Tags of own adds since all was settled last, in order of the calls: by number, as they may change. */
  readonly own: Map<number, Stamp>;
  /** Own operations that are not settled. */
  unsettled: number;
  /** By the last of them. */
  isThere: boolean;
  /** When something of this client's was last begun or settled. */
  changedAt: number;
}

export class Elements {
  /** By their bytes, as a text. */
  readonly #all = new Map<string, Element>();
  readonly #max: number;
  #changes = 0;
  #readers = 0;

  constructor(max: number) {
    this.#max = max;
  }

  at(name: string): Element | undefined {
    return this.#all.get(name);
  }

  values(): unknown[] {
    return [...this.#all.values()].filter(isShown).map(({ value }) => value);
  }

  /** An operation of this client's: what it makes of `isThere`, whoever asks for it says once it is taken. */
  begin(name: string, value: unknown): Element {
    const element = this.#all.get(name) ?? this.#put(name, { value, tags: [] });
    element.unsettled++;
    element.changedAt = ++this.#changes;
    return element;
  }

  end(name: string, element: Element): void {
    if (--element.unsettled === 0) element.own.clear();
    element.changedAt = ++this.#changes;
    this.#tidy(name, element);
  }

  /** From now on what this client does stands over what comes of the question. */
  ask(): number {
    this.#readers++;
    return this.#changes;
  }

  /** The question is over, whatever came of it. */
  asked(): void {
    this.#readers--;
    if (this.#readers === 0) for (const [name, element] of this.#all) this.#tidy(name, element);
  }

  /** What an owner has of these names, or of the whole set. Gives what is there. */
  learn(
    since: number,
    found: ReadonlyMap<string, Found>,
    names: Iterable<string> = this.#all.keys(),
  ): unknown[] {
    const values: unknown[] = [];
    const left = new Map(found);
    for (const name of names) {
      const element = this.#all.get(name);
      if (!element) continue;
      if (element.unsettled === 0 && element.changedAt <= since) this.#all.delete(name);
      else {
        left.delete(name);
        if (isShown(element)) values.push(element.value);
      }
    }
    for (const [name, one] of left) {
      values.push(one.value);
      this.#put(name, one);
    }
    return values;
  }

  #put(name: string, { value, tags }: Found): Element {
    const element: Element = {
      value,
      tags: new Map(tags.map((tag) => [formatStamp(tag), tag])),
      own: new Map(),
      unsettled: 0,
      isThere: true,
      changedAt: 0,
    };
    if (this.#all.size >= this.#max) this.#dropOldest();
    this.#all.set(name, element);
    return element;
  }

  /** That something is gone has to be known until all that was asked before is answered. */
  #tidy(name: string, element: Element): void {
    const isNeeded = element.unsettled > 0 || element.tags.size > 0 || this.#readers > 0;
    if (!isNeeded && this.#all.get(name) === element) this.#all.delete(name);
  }

  /** What is not settled stays: the outbox has a bound of its own. */
  #dropOldest(): void {
    const [oldest] = this.#all;
    if (oldest?.[1].unsettled === 0) this.#all.delete(oldest[0]);
  }
}

const isShown = ({ unsettled, isThere, tags }: Element): boolean =>
  unsettled > 0 ? isThere : tags.size > 0;
