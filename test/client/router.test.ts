/** What a client makes of every word on who owns what. */
import { expect, it } from "vitest";
import {
  ANY,
  beginRouter,
  isGone,
  placesOf,
  stepRouter,
  type Place,
  type Router,
  type RouterEvent,
} from "../../src/client/machine/router.ts";
import { NodeId, PartitionId, Version } from "../../src/data/ids.ts";
import type { MapDelta } from "../../src/data/map-delta.ts";
import type { NotOwnerNotice } from "../../src/protocol/client-messages.ts";
import { tableOf, type Named } from "./table.ts";
import { mapOf } from "./worlds.ts";

const from = NodeId("n1");
const map = mapOf(["n1", "n2"], { version: 2 });
const known: Router = { mode: "direct", map, partitionCount: 2, asked: null };

const STATES: Named<Router> = {
  "no map": beginRouter("direct"),
  "map 2": known,
  "map 2, asked": { ...known, asked: from },
  "map 2, asked another": { ...known, asked: NodeId("n2") },
  gateway: { ...known, mode: "gateway" },
};

const deltaOf = (fromVersion: number, to: number): MapDelta => ({
  from: Version(fromVersion),
  to: Version(to),
  fromView: Version(2),
  toView: Version(2),
  partitions: [{ partitionId: PartitionId(1), ownerNodeId: NodeId("n3"), backupNodeIds: [] }],
  nodes: [],
  removedNodeIds: [],
  generatedAt: 0,
});

const noticeOf = (mapVersion: number, changes: Partial<NotOwnerNotice> = {}): NotOwnerNotice => ({
  type: "NOT_OWNER",
  seq: 1,
  indexes: [0],
  applied: false,
  owners: [{ partitionId: PartitionId(0), ownerNodeId: NodeId("n9") }],
  mapVersion: Version(mapVersion),
  ...changes,
});

const EVENTS: Named<RouterEvent> = {
  "map 1": { type: "map", from, map: mapOf(["n5", "n5"], { version: 1 }) },
  "map 3": { type: "map", from, map: mapOf(["n3", "n3"], { version: 3 }) },
  "delta 1-2": { type: "delta", from, delta: deltaOf(1, 2) },
  "delta 2-3": { type: "delta", from, delta: deltaOf(2, 3) },
  "delta 5-6": { type: "delta", from, delta: deltaOf(5, 6) },
  "not owner, by map 1": { type: "not-owner", from, notice: noticeOf(1) },
  "not owner, by map 2": { type: "not-owner", from, notice: noticeOf(2) },
  "not owner, map 3": {
    type: "not-owner",
    from,
    notice: noticeOf(3, { map: mapOf(["n3", "n3"], { version: 3 }) }),
  },
  astray: { type: "astray", from },
  unheard: { type: "unheard", from },
};

it("decides every cell", () => {
  const table = tableOf(STATES, EVENTS, (state, event) => {
    const [after, effects] = stepRouter(state, event);
    const said = effects.map((effect) =>
      effect.type === "routed"
        ? `${effect.routes.version}: ${effect.routes.places.join(" ")}`
        : `fetch from ${effect.message.version ?? 0}`,
    );
    const asked = after.asked === state.asked ? [] : [after.asked ? "asked" : "heard"];
    return [...said, ...asked].join(", ");
  });
  const newer = {
    "map 1": "",
    "map 3": "3: n3 n3",
    "delta 1-2": "",
    "delta 2-3": "3: n1 n3",
    "not owner, by map 1": "",
    "not owner, by map 2": "2: n9 n2",
    "not owner, map 3": "3: n9 n3",
    unheard: "",
  };
  const heard = {
    ...newer,
    "map 1": "heard",
    "map 3": "3: n3 n3, heard",
    "delta 1-2": "heard",
    "delta 2-3": "3: n1 n3, heard",
    // What was asked may have crossed it: it is asked again, from where the map is now.
    "delta 5-6": "fetch from 2",
    astray: "",
    unheard: "heard",
  };
  const fetch = "fetch from 2, asked";
  expect(table).toEqual({
    "no map": {
      "map 1": "1: n5 n5",
      "map 3": "3: n3 n3",
      "delta 1-2": "fetch from 0, asked",
      "delta 2-3": "fetch from 0, asked",
      "delta 5-6": "fetch from 0, asked",
      "not owner, by map 1": "",
      "not owner, by map 2": "",
      "not owner, map 3": "3: n9 n3",
      astray: "fetch from 0, asked",
      unheard: "",
    },
    "map 2": { ...newer, "delta 5-6": fetch, astray: fetch },
    "map 2, asked": heard,
    "map 2, asked another": { ...newer, "delta 5-6": "", astray: "" },
    gateway: {
      ...newer,
      "map 3": "3: * *",
      "delta 2-3": "3: * *",
      "delta 5-6": fetch,
      "not owner, by map 2": "2: * *",
      "not owner, map 3": "3: * *",
      astray: fetch,
    },
  });
});

it("goes to owners where it goes directly, to anybody where not", () => {
  expect([...placesOf(known)]).toEqual(["n1", "n2"]);
  expect([...placesOf(beginRouter("direct"))]).toEqual([ANY]);
  expect([...placesOf({ ...known, mode: "gateway" })]).toEqual([ANY]);
});

it("takes a node for gone that has failed or is not listed, but never anybody", () => {
  const router = { ...known, map: mapOf(["n1", null], { gone: ["n2"] }) };
  const places: readonly Place[] = [NodeId("n1"), NodeId("n2"), NodeId("n3"), ANY];
  const gone = places.map((place) => isGone(router, place));
  expect(gone).toEqual([false, true, true, false]);
});
