/** What an application subscribes to, and what it hears. */
import type { Filter } from "../protocol/filter.ts";

/** Given together: what all hold for. Nothing given: the whole map. */
export interface SubscribeOptions {
  /** Keys that start with this. */
  readonly prefix?: string;
  /** These keys, at most 100. */
  readonly keys?: readonly string[];
  /** Values for which this holds. */
  readonly where?: Filter;
  /** The field that says the order, as in `where`, or "": the value itself. Left out: the key does. */
  readonly orderBy?: string;
  /** The greatest first. What lacks the field is last all the same. */
  readonly descending?: boolean;
  /** Only so many, at most 1,000, the first in that order: what is pushed out by others is told as not there any more. */
  readonly limit?: number;
}

/** Copied: undefined is what was left out. */
export type GivenOptions = {
  readonly [Name in keyof SubscribeOptions]-?: SubscribeOptions[Name] | undefined;
};

/** `value` undefined: deleted, expired, or not in the subscription any more. */
export interface EntryChange<V> {
  readonly key: string;
  readonly value: V | undefined;
}

/** Of a set. */
export interface ElementChange<T> {
  readonly value: T;
  /** False: removed, by somebody who had seen all its adds, or expired. */
  readonly isThere: boolean;
}
