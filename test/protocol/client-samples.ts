/** One fixed message of each kind that a client says to a node. */
import { ClusterId, Version } from "../../src/data/ids.ts";
import type { ClientMessage } from "../../src/protocol/client-messages.ts";
import { subscriberSamples } from "./subscription-messages.ts";

const stamp = { millis: 1_700_000_000_000, counter: 2, node: "n1.1" };
const value = Uint8Array.of(1, 2, 3);
const tags = { map: "users", key: "user:1:tags" };

export const client = {
  hello: { type: "HELLO", version: 1, cluster: ClusterId("main"), clientId: "c-1", forward: true },
  ops: {
    type: "OPS",
    seq: 1,
    ops: [
      { map: "users", key: "user:1", stamp: { ...stamp, node: "c-1" }, value, expiresAt: null },
      { map: "users", key: "user:2", stamp: { ...stamp, node: "c-1" }, value: null, expiresAt: 5 },
    ],
  },
  "ops on sets and counters": {
    type: "OPS",
    seq: 4,
    ops: [
      { type: "add", ...tags, stamp, value, expiresAt: null },
      { type: "remove", ...tags, stamp, value, tags: [stamp] },
      { type: "remove", ...tags, stamp, value, tags: null },
      { type: "count", map: "views", key: "page:1", inc: 7, dec: 1 },
      { type: "count", map: "views", key: "page:1", inc: 3, dec: 0, replica: "c-gone" },
    ],
  },
  "get of a set and a counter": {
    type: "GET",
    seq: 5,
    keys: [
      { type: "members", ...tags, after: "0123456789abcdef", limit: 100 },
      { type: "total", map: "views", key: "page:1" },
    ],
  },
  get: { type: "GET", seq: 2, keys: [{ map: "users", key: "user:1" }] },
  "get with a receipt": { type: "GET", seq: 3, keys: [], received: 70_000 },
  call: {
    type: "CALL",
    seq: 6,
    calls: [
      { map: "account", key: "alice", commandId: "c-1.1", expectedVersion: 4, command: value },
      { map: "account", key: "bob", commandId: null, expectedVersion: null, command: value },
    ],
  },
  receipt: { type: "RECEIVED", received: 400_000 },
  "fetch map": { type: "FETCH_MAP" },
  "fetch what changed": { type: "FETCH_MAP", version: Version(7), viewVersion: Version(4) },
  ...subscriberSamples,
} satisfies Record<string, ClientMessage>;
