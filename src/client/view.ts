/**
 * What a subscription shows of a map: of each key the newer of what the nodes have told and what this client has written. It says
 * which entries have become others, and decides nothing else. Of a set it shows the adds in the same way, each by its `sub`.
 */
import type { DigestKey } from "../data/digest.ts";
import { partitionOf } from "../data/hash.ts";
import type { Stamp } from "../data/hlc.ts";
import type { PartitionId } from "../data/ids.ts";
import { compareWrites, isVisible, type Content } from "../data/content.ts";
import { compareContents } from "../data/row.ts";
import { holds, namesKey } from "../protocol/holds.ts";
import type { ChangedPart, PartDigest, Query } from "../protocol/subscription-messages.ts";
import { decodeJson } from "../protocol/values.ts";
import { Expiries } from "./expiries.ts";
import { TOLD_MS_MAX } from "./subscription-limits.ts";
import { OwnWrites, type Shown } from "./own-writes.ts";
import type { Ranking } from "./ranking.ts";
import type { EntryChange } from "./subscribed.ts";
import { Told, type Keep, type Which } from "./told.ts";

export type ViewChange = EntryChange<unknown>;

export interface ViewPort {
  readonly partitionCount: () => number;
  readonly keep?: Keep;
  /** Milliseconds by the nodes' clock. */
  readonly now: () => number;
  /** Of what is shown; null: all is, in no order. */
  readonly ranking?: Ranking | null;
  /** `row`: what there is now. */
  readonly changed: (change: ViewChange, row: Content | null) => void;
}

/** An own write that was acknowledged and not told in time. */
export interface Untold {
  readonly key: string;
  readonly row: Content;
}

export type ViewKind = "lww" | "or";

export class View {
  readonly query: Query;
  readonly #kind: ViewKind;
  readonly #told: Told;
  readonly #own: OwnWrites;
  readonly #shown = new Map<string, Shown>();
  /** Of own writes. */
  readonly #expiries = new Expiries<string>();
  readonly #port: ViewPort;

  /** `kind`: of what is shown. Adds are those of one set, the only key of the query. */
  constructor(query: Query, port: ViewPort, kind: ViewKind = "lww") {
    this.query = query;
    this.#kind = kind;
    this.#own = new OwnWrites(kind);
    this.#told = new Told(query.map, port.keep);
    this.#port = port;
  }

  value(key: string): unknown {
    if (this.#ranking()?.has(key) === false) return undefined;
    const shown = this.#shown.get(key);
    return shown && isVisible(shown.row, this.#port.now()) ? shown.value : undefined;
  }

  *entries(): Iterable<readonly [string, unknown]> {
    const now = this.#port.now();
    for (const key of this.#ranking()?.keys() ?? this.#shown.keys()) {
      const shown = this.#shown.get(key);
      if (shown && isVisible(shown.row, now)) yield [key, shown.value];
    }
  }

  news(changes: readonly ViewChange[]): readonly ViewChange[] | undefined {
    const { ranking } = this.#port;
    return ranking ? ranking.news(changes) : changes;
  }

  /** Who is next comes in as soon as one has expired. */
  #ranking(): Ranking | null {
    const { ranking = null, now } = this.#port;
    if (ranking && this.expiresAt <= now()) this.expire();
    return ranking;
  }

  #changed(change: ViewChange, row: Content | null): void {
    this.#port.ranking?.take(change);
    this.#port.changed(change, row);
  }

  // ---------------------------------------------------------------- what is told

  take(parts: readonly ChangedPart[]): void {
    for (const part of parts) {
      const changed = this.#told.take(part);
      for (const row of part.rows)
        if (row.kind === this.#kind) this.#own.told(this.#keyOf(row), row);
      this.#lookAt(changed, part.partitionId);
    }
  }

  digests(partitionIds: readonly PartitionId[], salt: DigestKey): readonly PartDigest[] {
    return this.#told.digests(partitionIds, salt);
  }

  // ---------------------------------------------------------------- what this client writes

  wrote(id: number, key: string, row: Content): void {
    if (!this.#isNamed(key)) return;
    this.#own.wrote(id, key, { row, value: jsonOf(row.value) });
    this.#noteExpiry(key, row);
    this.#look(key);
  }

  restamped(id: number, key: string, row: Content): void {
    if (!this.#isNamed(key)) return;
    const before = this.#own.restamped(id, key, row);
    const shown = this.#shown.get(key);
    // It is what it was: nobody need be told.
    if (shown?.row === before) this.#shown.set(key, { row, value: shown?.value });
    this.#noteExpiry(key, row);
    this.#look(key);
  }

  /** `stands`: it, or something newer, which will be told; else it was refused. */
  settled(id: number, key: string, stands: boolean): void {
    if (!this.#isNamed(key)) return;
    if (stands) this.#own.stored(id, key, this.#port.now());
    else this.#own.refused(id, key);
    const told = this.#toldAt(key);
    if (told) this.#own.told(key, told);
    this.#look(key);
  }

  // ---------------------------------------------------------------- what ought to have been told

  /** When an own write is untold for too long; Infinity: none is. */
  get untoldAt(): number {
    return this.#own.untoldAt(TOLD_MS_MAX);
  }

  /** All that there is has been told: what is untold from now on may have been deleted by others before it was. */
  synced(): void {
    this.#own.waitAnew(this.#port.now());
  }

  /** Own writes that are untold for too long, at most so many: their owners are to be asked what they have. */
  takeUntold(max: number): readonly Untold[] {
    return this.#own.takeUntold(this.#port.now(), TOLD_MS_MAX, max).flatMap((key) => {
      const untold = this.#own.untold(key);
      return untold ? { key, row: untold.row } : [];
    });
  }

  /** Its owner was asked about an own write, and has this; `stamp` null: nothing. */
  learned({ key, row: own }: Untold, stamp: Stamp | null, value: Uint8Array | null): void {
    const there = stamp && { stamp, value, expiresAt: null };
    const isLost = there !== null && compareContents(this.#kind, there, own) < 0;
    const json = jsonOf(value);
    // Whatever else is to be shown will be told.
    if (!isLost && json !== undefined && this.#fits(json)) return;
    // So will be that what was told before is gone; of what never was, nobody tells.
    this.#own.gone(key, own.stamp, !isLost && this.#toldAt(key) !== undefined);
    this.#look(key);
  }

  // ---------------------------------------------------------------- what is shown

  /** Nothing expires before. */
  get expiresAt(): number {
    return Math.min(this.#told.expiresAt, this.#expiries.first);
  }

  /** What has expired is told as gone. */
  expire(): void {
    const now = this.#port.now();
    this.#lookAt(this.#told.expire(now));
    for (const key of this.#expiries.take(now)) this.#look(key);
  }

  #lookAt(changed: ReadonlyMap<string, Which>, partitionId?: PartitionId): void {
    for (const which of changed.values())
      if (which.kind === this.#kind) this.#look(this.#keyOf(which), partitionId);
  }

  #look(key: string, partitionId = this.#partition(key)): void {
    const newest = this.#newest(key, partitionId);
    const before = this.#shown.get(key);
    if (!newest || !isVisible(newest.row, this.#port.now())) return this.#hide(key);
    if (before && compareWrites(before.row, newest.row) === 0) return;
    const { row, value = jsonOf(row.value) } = newest;
    if (value === undefined || !this.#fits(value)) return this.#hide(key);
    this.#shown.set(key, { row, value });
    this.#changed({ key, value }, row);
  }

  #newest(key: string, partitionId: PartitionId): { row: Content; value?: unknown } | null {
    const own = this.#own.newest(key);
    const row = this.#told.row(partitionId, this.#which(key));
    if (!own || !row) return own ?? (row ? { row } : null);
    return compareContents(this.#kind, own.row, row) > 0 ? own : { row };
  }

  #noteExpiry(key: string, { expiresAt }: Content): void {
    this.#expiries.add(expiresAt, key);
    this.#expiries.tidy(this.#shown.size, () => this.#expiring());
  }

  *#expiring(): Iterable<{ readonly at: number; readonly of: string }> {
    for (const [key, { row }] of this.#shown)
      if (row.expiresAt !== null) yield { at: row.expiresAt, of: key };
  }

  #hide(key: string): void {
    if (this.#shown.delete(key)) this.#changed({ key, value: undefined }, null);
  }

  #fits(value: unknown): boolean {
    const { filter } = this.query;
    return !filter || holds(filter, value);
  }

  #toldAt(key: string): Content | undefined {
    return this.#told.row(this.#partition(key), this.#which(key));
  }

  #partition(key: string): PartitionId {
    return partitionOf(this.#which(key).key, this.#port.partitionCount());
  }

  #isNamed(key: string): boolean {
    return namesKey(this.query, this.#which(key).key);
  }

  #keyOf({ key, sub }: Which): string {
    return this.#kind === "lww" ? key : sub;
  }

  #which(key: string): Which {
    const kind = this.#kind;
    if (kind === "lww") return { kind, key, sub: "" };
    return { kind, key: this.query.keys?.[0] ?? "", sub: key };
  }
}

/** What other clients have stored need not be a value of ours. */
function jsonOf(value: Uint8Array | null): unknown {
  const json = value && decodeJson(value, "value");
  return json?.ok ? json.value : undefined;
}
