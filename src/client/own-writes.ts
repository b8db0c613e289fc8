/**
 * What this client has written to a map and was not told yet, to its entries by key or to the adds of a set. A write goes when it
 * is refused, when the nodes tell of it or of something newer, or when its owner turns out to have lost it.
 *
 * Writes of one key are stamped in the order of the calls, but for those that another page has left.
 */
import { compareStamps, type Stamp } from "../data/hlc.ts";
import type { Content } from "../data/content.ts";
import { compareContents, type RowKind } from "../data/row.ts";

/** `value` as it would be told. */
export interface Shown {
  readonly row: Content;
  readonly value: unknown;
}

interface Own {
  /** Under way, by number of the operation. */
  readonly pending: Map<number, Shown>;
  /** Their numbers, in order of the stamps; some are not under way any more. */
  readonly order: number[];
  /** The newest that is acknowledged. */
  settled: Shown | null;
  /** The newest that was told: what is older counts only if it gets another stamp. */
  told: Content | null;
}

export class OwnWrites {
  readonly #kind: RowKind;
  readonly #byKey = new Map<string, Own>();
  /** Keys with something acknowledged that was not told, since when; the longest first. */
  readonly #untold = new Map<string, number>();

  constructor(kind: RowKind) {
    this.#kind = kind;
  }

  newest(key: string): Shown | null {
    const own = this.#byKey.get(key);
    if (!own) return null;
    const last = lastOf(own);
    return last && this.#isAbove(own.told, last.row) ? last : own.settled;
  }

  /** What is acknowledged and was not told. */
  untold(key: string): Shown | null {
    return this.#byKey.get(key)?.settled ?? null;
  }

  wrote(id: number, key: string, written: Shown): void {
    let own = this.#byKey.get(key);
    if (!own)
      this.#byKey.set(key, (own = { pending: new Map(), order: [], settled: null, told: null }));
    own.pending.set(id, written);
    let at = own.order.length;
    // What was adopted may be older.
    while (at > 0 && this.#isNewer(own.pending.get(own.order[at - 1] ?? id), written)) at--;
    own.order.splice(at, 0, id);
  }

  /** Returns what it was. */
  restamped(id: number, key: string, row: Content): Content | null {
    const own = this.#byKey.get(key);
    const written = own?.pending.get(id);
    if (!own || !written) return null;
    own.pending.set(id, { ...written, row });
    return written.row;
  }

  refused(id: number, key: string): void {
    const own = this.#byKey.get(key);
    own?.pending.delete(id);
    this.#tidy(key, own);
  }

  /** Durable; or something newer stands, which will be told. `now`: milliseconds, of whichever clock. */
  stored(id: number, key: string, now: number): void {
    const own = this.#byKey.get(key);
    const written = own?.pending.get(id);
    if (!own || !written) return;
    own.pending.delete(id);
    const { told, settled } = own;
    if (this.#isAbove(told, written.row) && this.#isAbove(settled?.row ?? null, written.row))
      own.settled = written;
    if (own.settled) this.#wait(key, now);
    this.#tidy(key, own);
  }

  /** The nodes have told of this, or that it is gone. */
  told(key: string, row: Content): void {
    const own = this.#byKey.get(key);
    if (!own) return;
    if (this.#isAbove(own.told, row)) own.told = row;
    // What was hidden as lost has the stamp that it had: it may be told after all.
    const isOut = ({ row: known }: Shown): boolean =>
      compareStamps(row.stamp, known.stamp) === 0 || !this.#isAbove(row, known);
    if (own.settled && isOut(own.settled)) own.settled = null;
    this.#tidy(key, own);
  }

  /** Nothing that was acknowledged up to this stamp is to be shown. `hides`: and nothing else of that key, until it is told. */
  gone(key: string, upTo: Stamp, hides: boolean): void {
    const own = this.#byKey.get(key);
    if (!own?.settled || compareStamps(own.settled.row.stamp, upTo) > 0) return;
    const row = { ...own.settled.row, value: null };
    own.settled = hides ? { row, value: undefined } : null;
    this.#tidy(key, own);
  }

  /** When the first has waited for `ms`; Infinity: none waits. */
  untoldAt(ms: number): number {
    for (const since of this.#untold.values()) return since + ms;
    return Infinity;
  }

  /** Keys that have waited for `ms`, at most so many. They begin to wait anew. */
  takeUntold(now: number, ms: number, max: number): readonly string[] {
    const keys: string[] = [];
    for (const [key, since] of this.#untold) {
      if (keys.length >= max || since + ms > now) break;
      keys.push(key);
    }
    for (const key of keys) this.#wait(key, now);
    return keys;
  }

  /** All that waits begins to wait anew. */
  waitAnew(now: number): void {
    for (const key of this.#untold.keys()) this.#untold.set(key, now);
  }

  #isNewer(one: Shown | undefined, than: Shown): boolean {
    return one !== undefined && compareContents(this.#kind, one.row, than.row) > 0;
  }

  #isAbove(known: Content | null, row: Content): boolean {
    return known === null || compareContents(this.#kind, row, known) > 0;
  }

  #wait(key: string, now: number): void {
    this.#untold.delete(key);
    this.#untold.set(key, now);
  }

  #tidy(key: string, own: Own | undefined): void {
    if (!own || own.settled) return;
    this.#untold.delete(key);
    if (own.pending.size === 0) this.#byKey.delete(key);
  }
}

function lastOf({ pending, order }: Own): Shown | null {
  for (let id = order.at(-1); id !== undefined; id = order.at(-1)) {
    const last = pending.get(id);
    if (last) return last;
    order.pop();
  }
  return null;
}
