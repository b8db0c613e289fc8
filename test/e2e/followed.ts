/** What a client that takes every map and delta it is sent ends up with. */
import { applyMapDelta, mergeMaps } from "../../src/data/map-delta.ts";
import type { PartitionMapPayload } from "../../src/data/members.ts";
import type { ServerMessage } from "../../src/protocol/client-messages.ts";

export interface Followed {
  readonly map: PartitionMapPayload | null;
  /** Whole maps, the first one included. */
  readonly wholes: number;
  readonly deltas: number;
  /** Deltas that did not build on the map: on one socket there is no such thing. */
  readonly misfits: number;
}

export const follow = (messages: readonly ServerMessage[]): Followed =>
  messages.reduce(take, { map: null, wholes: 0, deltas: 0, misfits: 0 });

function take(followed: Followed, message: ServerMessage): Followed {
  const { map, wholes, deltas, misfits } = followed;
  if ("map" in message && message.map)
    return {
      ...followed,
      map: map ? mergeMaps(map, message.map) : message.map,
      wholes: wholes + 1,
    };
  if (message.type !== "MAP_DELTA") return followed;
  const applied = map && applyMapDelta(map, message);
  if (!applied?.ok) return { ...followed, misfits: misfits + 1 };
  return { ...followed, map: applied.value, deltas: deltas + 1 };
}

/** A map without the time at which it was made. */
export function timeless(map: PartitionMapPayload | null): object | null {
  if (!map) return null;
  const { generatedAt: _, ...rest } = map;
  return rest;
}
