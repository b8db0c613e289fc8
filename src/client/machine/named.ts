/** By hash, then by name: what is copied with each operation is a part of all there is. */
import { partitionOf } from "../../data/hash.ts";

export type Named<T> = ReadonlyMap<number, ReadonlyMap<string, T>>;

const PARTS = 64;

const partOf = (name: string): number => partitionOf(name, PARTS);

export const namedAt = <T>(all: Named<T>, name: string): T | undefined =>
  all.get(partOf(name))?.get(name);

/** `one` null: there is none of that name any more. */
export function withNamed<T>(all: Named<T>, name: string, one: T | null): Named<T> {
  const part = partOf(name);
  const some = new Map(all.get(part));
  if (one === null) some.delete(name);
  else some.set(name, one);
  return new Map(all).set(part, some);
}

export const everyNamed = <T>(all: Named<T>): readonly T[] =>
  [...all.values()].flatMap((some) => [...some.values()]);
