/** What a subscription is about. */
import type { Query } from "../protocol/subscription-messages.ts";
import type { Of } from "./machine/ask.ts";

/** Of a set or a counter. */
export const queryAbout = ({ map, key }: Of): Query => ({ map, keys: [key] });

/** The same for those that ask for the same. */
export const textOfQuery = ({ map, prefix, keys, filter }: Query): string =>
  JSON.stringify([map, prefix, keys, filter]);
