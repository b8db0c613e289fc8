/** One fixed message of each kind that is about actors. */
import { Epoch, PartitionId, Seq } from "../../src/data/ids.ts";
import type { Row } from "../../src/data/row.ts";
import type { ClusterMessage } from "../../src/protocol/cluster-messages.ts";
import { makeError } from "../../src/protocol/errors.ts";

const P3 = PartitionId(3);
const value = Uint8Array.of(1, 2, 3);
const actor = { map: "account", key: "ann" };
const bank = { map: "bank", key: "main" };
/** Of epoch 7. */
export const event: Row = {
  ...actor,
  kind: "event",
  sub: "000000000017",
  stamp: { millis: 7, counter: 0, node: "n1" },
  value,
  expiresAt: null,
};
/** Of the first 17 entries. */
export const snapshot: Row = {
  ...event,
  kind: "snapshot",
  sub: "",
  stamp: { millis: 17, counter: 0, node: "n1" },
};

export const actorSamples = {
  "forward with commands for an actor": {
    type: "OP_FORWARD",
    sourceNodeId: "front",
    forwardId: Seq(7),
    rulings: [],
    ops: [
      { type: "call", ...actor, commandId: "c-1", expectedVersion: 17, command: value },
      {
        type: "call",
        ...actor,
        commandId: "c-2",
        expectedVersion: null,
        command: value,
        via: [bank],
      },
      { type: "call", ...actor, commandId: null, expectedVersion: 0, command: value },
      { type: "call", ...actor, commandId: null, expectedVersion: null, command: value },
      { type: "events", ...actor, from: 3, limit: 100 },
    ],
  },
  "forwarded with the reply of an actor, and a refusal": {
    type: "OP_FORWARDED",
    forwardId: Seq(7),
    results: [
      { type: "reply", version: 18, value },
      {
        type: "refused",
        error: makeError("VERSION_CONFLICT", {
          actorType: actor.map,
          actorId: actor.key,
          attempted: 17,
          current: 18,
        }),
      },
    ],
    notOwned: [],
  },
  "data with an actor's journal": {
    type: "MIGRATE_DATA",
    partitionId: P3,
    streamId: Seq(5),
    n: 3,
    epoch: Epoch(7),
    chunk: [event, { ...event, sub: "000000000018" }, snapshot],
    deltas: [event, snapshot],
    sourceVersion: Seq(42),
    marker: false,
  },
} satisfies Record<string, ClusterMessage>;
