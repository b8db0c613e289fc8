import type { Identity } from "../../data/row.ts";

/** One text per identity, for `Map` keys. The lengths keep its parts from running together. */
export function identityKey({ map, key, kind, sub }: Identity): string {
  return `${map.length}:${key.length}:${kind}:${map}${key}${sub}`;
}
