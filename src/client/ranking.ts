/**
 * The entries of a subscription in its order, of which its application is told the first ones: what comes among them, and what is pushed
 * out. Numbers come before texts, texts before booleans; all else comes last, whichever way round. What is equal is in the order of its keys.
 */
import { integerProblem, malformed, textProblem } from "../protocol/checks.ts";
import type { ErrorInfo } from "../protocol/errors.ts";
import { fieldOf } from "../protocol/holds.ts";
import { FILTER_FIELD_BYTES_MAX } from "../protocol/limits.ts";
import { RANKED_MAX } from "./subscription-limits.ts";
import type { EntryChange, GivenOptions } from "./subscribed.ts";

export type Order = Partial<Pick<GivenOptions, "orderBy" | "descending" | "limit">>;

/** `rank`: by what it is in order. */
interface Ranked extends EntryChange<unknown> {
  readonly rank: unknown;
}

/** So many are put in their places one by one, for less than it takes to sort all. */
const FEW = 8;

export class Ranking {
  readonly #order: Order;
  readonly #limit: number;
  #all: Ranked[] = [];
  readonly #byKey = new Map<string, Ranked>();
  /** What has changed and is not in its place yet; null: it is gone. */
  readonly #fresh = new Map<string, Ranked | null>();
  /** What the application was told, where not all is. */
  #told: ReadonlyMap<string, Ranked> = new Map();

  constructor(order: Order) {
    this.#order = order;
    this.#limit = order.limit ?? Infinity;
  }

  take({ key, value }: EntryChange<unknown>): void {
    const { orderBy } = this.#order;
    const rank = orderBy === undefined ? key : fieldOf(value, orderBy);
    this.#fresh.set(key, value === undefined ? null : { key, value, rank });
  }

  /** Keys of the first ones, in order. */
  keys(): readonly string[] {
    return this.#first().map(({ key }) => key);
  }

  has(key: string): boolean {
    if (this.#limit === Infinity) return true;
    this.#sort();
    const known = this.#byKey.get(key);
    return known !== undefined && this.#placeOf(known) < this.#limit;
  }

  /** `changes`: of all entries, since it was asked for last; undefined: nothing of that concerns the first ones. */
  news(changes: readonly EntryChange<unknown>[]): readonly EntryChange<unknown>[] | undefined {
    if (this.#limit === Infinity) return changes;
    const first = new Map(this.#first().map((one) => [one.key, one]));
    const gone = [...this.#told.keys()].filter((key) => !first.has(key));
    const others = [...first.values()].filter((one) => this.#told.get(one.key) !== one);
    this.#told = first;
    const news = [...gone.map((key) => ({ key, value: undefined })), ...others.map(changeOf)];
    return news.length > 0 ? news : undefined;
  }

  #first(): readonly Ranked[] {
    this.#sort();
    return this.#limit < this.#all.length ? this.#all.slice(0, this.#limit) : this.#all;
  }

  /** Few are put in their places one by one; of many, all that is between two of them moves together. */
  #sort(): void {
    const fresh = [...this.#fresh.values()].filter((one) => one !== null);
    const stale = [...this.#fresh.keys()].flatMap((key) => this.#byKey.get(key) ?? []);
    if (this.#fresh.size > FEW) {
      this.#all = parted(this.#all, this.#placesOf(stale), 1, []);
      fresh.sort((a, b) => this.#compare(a, b));
      this.#all = parted(this.#all, this.#placesOf(fresh), 0, fresh);
    } else {
      for (const one of stale) this.#all.splice(this.#placeOf(one), 1);
      for (const one of fresh) this.#all.splice(this.#placeOf(one), 0, one);
    }
    for (const { key } of stale) this.#byKey.delete(key);
    for (const one of fresh) this.#byKey.set(one.key, one);
    this.#fresh.clear();
  }

  #placesOf(some: readonly Ranked[]): readonly number[] {
    return some.map((one) => this.#placeOf(one)).toSorted((a, b) => a - b);
  }

  /** Where it is, or belongs: by bisection. */
  #placeOf(one: Ranked): number {
    let [from, to] = [0, this.#all.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      const other = this.#all[middle];
      if (other && this.#compare(other, one) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  #compare(a: Ranked, b: Ranked): number {
    const [hasRank, other] = [isOrdered(a.rank), isOrdered(b.rank)];
    if (hasRank !== other) return hasRank ? -1 : 1;
    const ranks = compareRanks(a.rank, b.rank) * (this.#order.descending ? -1 : 1);
    return ranks || (a.key < b.key ? -1 : Number(a.key > b.key));
  }
}

const changeOf = ({ key, value }: Ranked): EntryChange<unknown> => ({ key, value });

/** `places`: ascending. At each so many are left out, and one of `some` is put in. */
function parted(
  all: readonly Ranked[],
  places: readonly number[],
  leftOut: number,
  some: readonly Ranked[],
): Ranked[] {
  let from = 0;
  const parts = places.map((place, i): readonly Ranked[] => {
    const before = all.slice(from, place);
    from = place + leftOut;
    return [...before, ...some.slice(i, i + 1)];
  });
  return [...parts, all.slice(from)].flat();
}

function compareRanks(a: unknown, b: unknown): number {
  if (!isOrdered(a) || !isOrdered(b)) return 0;
  const types = ORDERED.indexOf(typeof a) - ORDERED.indexOf(typeof b);
  return types || (a < b ? -1 : Number(a > b));
}

const ORDERED = ["number", "string", "boolean"];
const isOrdered = (rank: unknown): rank is number | string | boolean =>
  ORDERED.includes(typeof rank) && !Number.isNaN(rank);

export function orderProblem({ orderBy, descending, limit }: Order): ErrorInfo | null {
  if (descending !== undefined && typeof descending !== "boolean")
    return malformed("true or false")("descending");
  return (
    (orderBy === undefined ? null : textProblem(orderBy, 0, FILTER_FIELD_BYTES_MAX)?.("orderBy")) ??
    (limit === undefined ? null : integerProblem(limit, 1, RANKED_MAX)?.("limit")) ??
    null
  );
}
