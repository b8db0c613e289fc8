/**
 * Who owns what, as far as the nodes have said: the newest map of all that came, over whichever connection. Direct: an
 * operation goes to the owner of its partition. Gateway: all of them go to one node, which passes them on.
 */
import type { Next } from "../../core/machine/step.ts";
import { unreachable } from "../../data/assert.ts";
import type { NodeId, Version } from "../../data/ids.ts";
import { applyMapDelta, mergeMaps, type MapDelta } from "../../data/map-delta.ts";
import type { PartitionMapPayload } from "../../data/members.ts";
import type { FetchMap, NotOwnerNotice } from "../../protocol/client-messages.ts";

export type Mode = "direct" | "gateway";

/** Where a connection leads: a node by its name, or any of them. */
export type Place = NodeId | typeof ANY | typeof NOWHERE;
/** No node has this name. */
export const ANY = "*";
/** Where operations wait whose partition nobody owns. */
export const NOWHERE = "?";

/** Where the operations of each partition go; null: nowhere as yet. */
export interface Routes {
  readonly version: Version;
  readonly places: readonly (Place | null)[];
}

export interface Router {
  readonly mode: Mode;
  readonly map: PartitionMapPayload | null;
  /** By the map; before there is one, as somebody remembers it. */
  readonly partitionCount: number;
  /** Who was asked for the map and has not answered. */
  readonly asked: Place | null;
}

export type RouterEvent =
  | { readonly type: "map"; readonly from: Place; readonly map: PartitionMapPayload }
  | { readonly type: "delta"; readonly from: Place; readonly delta: MapDelta }
  | { readonly type: "not-owner"; readonly from: Place; readonly notice: NotOwnerNotice }
  /** Somebody was sent to a node that sends it back. */
  | { readonly type: "astray"; readonly from: Place }
  /** What was asked there will not be answered. */
  | { readonly type: "unheard"; readonly from: Place };

type RouterEffect =
  | { readonly type: "routed"; readonly routes: Routes }
  | { readonly type: "fetch"; readonly from: Place; readonly message: FetchMap };

type Stepped = Next<Router, RouterEffect>;

export const beginRouter = (mode: Mode): Router => ({
  mode,
  map: null,
  partitionCount: 1,
  asked: null,
});

export function stepRouter(state: Router, event: RouterEvent): Stepped {
  switch (event.type) {
    case "map":
      return learned(answered(state, event.from), event.map);
    case "delta":
      return changed(answered(state, event.from), event.delta, event.from);
    case "not-owner":
      return told(state, event.notice);
    case "astray":
      return fetch(state, event.from);
    case "unheard":
      return [answered(state, event.from), []];
    default:
      return unreachable(event);
  }
}

/** Every node that an operation may have to go to. */
export function placesOf({ mode, map }: Router): ReadonlySet<Place> {
  if (mode === "gateway" || !map) return new Set<Place>([ANY]);
  return new Set(map.partitions.flatMap(({ ownerNodeId }) => ownerNodeId ?? []));
}

/** It is lost or has left: nobody need wait for its answers. */
export function isGone({ map }: Router, place: Place): boolean {
  if (place === ANY || !map) return false;
  const node = map.nodes.find(({ nodeId }) => nodeId === place);
  return !node || node.status === "FAILED";
}

const answered = (state: Router, from: Place): Router =>
  state.asked === from ? { ...state, asked: null } : state;

function learned(state: Router, news: PartitionMapPayload): Stepped {
  const map = state.map ? mergeMaps(state.map, news) : news;
  return [{ ...state, map, partitionCount: map.partitionCount }, routed(state, map)];
}

function changed(state: Router, delta: MapDelta, from: Place): Stepped {
  if (!state.map) return fetch(state, from);
  const map = applyMapDelta(state.map, delta);
  if (map.ok) return [{ ...state, map: map.value }, routed(state, map.value)];
  return map.error === "old" ? [state, []] : fetch(state, from);
}

/**
 * What a node says of its partitions holds until there is a newer map: it may have heard a ruling that no table names
 * yet. A notice of an older map than ours says nothing new.
 */
function told(state: Router, { owners, map, mapVersion }: NotOwnerNotice): Stepped {
  const known = map && state.map ? mergeMaps(state.map, map) : (map ?? state.map);
  if (!known) return [state, []];
  if (mapVersion < known.version) return learned(state, known);
  const named = new Map(owners.map((owner) => [owner.partitionId, owner.ownerNodeId]));
  const partitions = known.partitions.map((item) => {
    const ownerNodeId = named.get(item.partitionId);
    return ownerNodeId === undefined ? item : { ...item, ownerNodeId };
  });
  const brought = { ...known, partitions };
  return [{ ...state, map: brought }, routed(state, brought)];
}

function fetch(state: Router, from: Place): Stepped {
  if (state.asked !== null) return [state, []];
  const { version, viewVersion } = state.map ?? {};
  const known = version !== undefined && viewVersion !== undefined ? { version, viewVersion } : {};
  return [
    { ...state, asked: from },
    [{ type: "fetch", from, message: { type: "FETCH_MAP", ...known } }],
  ];
}

/** Said only where it makes a difference. */
function routed({ mode, map: before }: Router, map: PartitionMapPayload): readonly RouterEffect[] {
  if (before?.partitions === map.partitions) return [];
  const places = Array.from({ length: map.partitionCount }, (): Place | null => null);
  for (const { partitionId, ownerNodeId } of map.partitions)
    places[partitionId] = mode === "gateway" ? ANY : ownerNodeId;
  return [{ type: "routed", routes: { version: map.version, places } }];
}
