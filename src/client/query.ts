/** What a subscription is about. */
import { keyProblem, listProblem, mapProblem, textProblem } from "../protocol/checks.ts";
import type { ErrorInfo } from "../protocol/errors.ts";
import { filterProblem } from "../protocol/filter.ts";
import { KEY_BYTES_MAX, SUBSCRIPTION_KEYS_MAX } from "../protocol/limits.ts";
import type { Query } from "../protocol/subscription-messages.ts";
import { encodeJson } from "../protocol/values.ts";
import type { Of } from "./machine/ask.ts";
import type { GivenOptions } from "./subscribed.ts";

/** Of a set or a counter. */
export const queryAbout = ({ map, key }: Of): Query => ({ map, keys: [key] });

/** The same for those that ask for the same. */
export const textOfQuery = ({ map, prefix, keys, filter }: Query): string =>
  JSON.stringify([map, prefix, keys, filter]);

export const queryOf = (map: string, { prefix, keys, where }: GivenOptions): Query => ({
  map,
  ...(prefix !== undefined && { prefix }),
  ...(keys !== undefined && { keys }),
  ...(where !== undefined && { filter: where }),
});

export function queryProblem({ map, prefix = "", keys = [], filter }: Query): ErrorInfo | null {
  return (
    mapProblem(map)?.("map") ??
    textProblem(prefix, 0, KEY_BYTES_MAX)?.("prefix") ??
    listProblem(keys, 0, SUBSCRIPTION_KEYS_MAX)?.("keys") ??
    keys.map((key, i) => keyProblem(key)?.(`keys[${i}]`)).find(Boolean) ??
    whereProblem(filter)
  );
}

function whereProblem(filter: Query["filter"]): ErrorInfo | null {
  if (filter === undefined) return null;
  const json = encodeJson(filter, "where");
  return json.ok ? (filterProblem(filter)?.("where") ?? null) : json.error;
}
