/** An arbitrary for every message about subscriptions, and samples. */
import fc from "fast-check";
import { Epoch, NodeId, PartitionId, Seq } from "../../src/data/ids.ts";
import type { Row } from "../../src/data/row.ts";
import type { ClientMessage, ServerMessage } from "../../src/protocol/client-messages.ts";
import type { Filter } from "../../src/protocol/filter.ts";
import type {
  Buckets,
  ChangedPart,
  ChangedRow,
  Position,
  SubscriptionMessage,
  Want,
} from "../../src/protocol/subscription-messages.ts";
import * as a from "./arbitraries.ts";
import { of } from "./message-of.ts";

type Of<Type extends SubscriptionMessage["type"]> = Extract<SubscriptionMessage, { type: Type }>;
type Client<Type extends ClientMessage["type"]> = Extract<ClientMessage, { type: Type }>;
type Server<Type extends ServerMessage["type"]> = Extract<ServerMessage, { type: Type }>;

const { count, epoch, list, partitionId, row, seq } = a;
const rulings = list(a.ruling);
const rows = list(row);
const map = row.map((one) => one.map);
const key = row.map((one) => one.key);
const salt = fc.record({ a: fc.nat(2 ** 32 - 1), b: fc.nat(2 ** 32 - 1) });

const scalar = fc.oneof(key, fc.integer(), fc.boolean(), fc.constant(null));
const named = { field: fc.constantFrom("", "a", "a.b") };
const ordered = fc.constantFrom("lt" as const, "le" as const, "gt" as const, "ge" as const);
const leaf: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({ op: fc.constantFrom("eq" as const, "ne" as const), ...named, value: scalar }),
  fc.record({ op: ordered, ...named, value: fc.oneof(key, fc.integer()) }),
  fc.record({
    op: fc.constant("in" as const),
    ...named,
    values: fc.array(scalar, { maxLength: 3 }),
  }),
  fc.record({ op: fc.constant("prefix" as const), ...named, value: key }),
);
const filter: fc.Arbitrary<Filter> = fc.oneof(
  leaf,
  fc.record({
    op: fc.constantFrom("and" as const, "or" as const),
    all: fc.array(leaf, { maxLength: 3 }),
  }),
  fc.record({ op: fc.constant("not" as const), filter: leaf }),
);
const query = { map, prefix: key, keys: fc.array(key, { maxLength: 3 }), filter };
const narrowings = ["prefix", "keys", "filter"];

const position: fc.Arbitrary<Position> = fc.record({ since: epoch, seq });
const partPosition = fc.record({ partitionId, since: epoch, seq });
const counts = fc.constantFrom(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024);
const buckets: fc.Arbitrary<Buckets> = counts.chain((of_) =>
  fc.record({ count: fc.constant(of_), which: fc.array(fc.nat(of_ - 1), { maxLength: of_ }) }),
);
const digest = counts.chain((of_) =>
  fc.uint8Array({ minLength: of_ * 6, maxLength: of_ * 6 }).map((bytes) => new Uint8Array(bytes)),
);
const withoutMap = ({ key: name, kind, sub, stamp, value, expiresAt }: Row): ChangedRow => ({
  key: name,
  kind,
  sub,
  stamp,
  value,
  expiresAt,
});
const changedPart: fc.Arbitrary<ChangedPart> = fc.record({
  partitionId,
  position: fc.option(position),
  replaces: fc.option(buckets),
  rows: rows.map((all) => all.map(withoutMap)),
});
const want: fc.Arbitrary<Want> = fc.oneof(
  position.map((at) => ({ type: "changes" as const, ...at })),
  buckets.map((which) => ({ type: "rows" as const, ...which })),
  fc.record({ type: fc.constant("digest" as const), count: counts, salt }),
);

export const subscriptionMessages: {
  readonly [Type in SubscriptionMessage["type"]]: fc.Arbitrary<Of<Type>>;
} = {
  INTEREST: of<Of<"INTEREST">>()("INTEREST", { n: seq, map, partitionIds: list(partitionId) }),
  INTERESTED: of<Of<"INTERESTED">>()("INTERESTED", {
    n: seq,
    map,
    positions: list(partPosition),
    notOwned: rulings,
  }),
  ROWS_CHANGED: of<Of<"ROWS_CHANGED">>()("ROWS_CHANGED", {
    n: seq,
    again: fc.boolean(),
    parts: list(fc.record({ map, partitionId, since: epoch, from: seq, to: seq, rows })),
  }),
  ROWS_HEARD: of<Of<"ROWS_HEARD">>()("ROWS_HEARD", {
    n: seq,
    listens: fc.boolean(),
    unwanted: list(fc.record({ map, partitionId })),
  }),
  FETCH_ROWS: of<Of<"FETCH_ROWS">>()("FETCH_ROWS", {
    fetchId: seq,
    query: fc.record(query, { requiredKeys: ["map"] }),
    reads: list(fc.record({ partitionId, after: fc.option(a.identity), want })),
  }),
  FETCHED_ROWS: of<Of<"FETCHED_ROWS">>()("FETCHED_ROWS", {
    fetchId: seq,
    pages: list(
      fc.record(
        {
          partitionId,
          since: epoch,
          seq,
          after: fc.option(a.identity),
          rows,
          digest,
          stale: fc.boolean(),
        },
        { requiredKeys: ["partitionId", "since", "seq", "after", "rows"] },
      ),
    ),
    notOwned: rulings,
  }),
};

export const subscriberMessages = {
  SUBSCRIBE: of<Client<"SUBSCRIBE">>()(
    "SUBSCRIBE",
    { seq: count, id: count, ...query, positions: list(partPosition), received: count },
    [...narrowings, "received"],
  ),
  UNSUBSCRIBE: of<Client<"UNSUBSCRIBE">>()("UNSUBSCRIBE", { id: count, received: count }, [
    "received",
  ]),
  DIGESTS: of<Client<"DIGESTS">>()(
    "DIGESTS",
    {
      seq: count,
      id: count,
      parts: list(fc.record({ partitionId, buckets: digest })),
      received: count,
    },
    ["received"],
  ),
};

export const subscribedMessages = {
  CHANGES: of<Server<"CHANGES">>()("CHANGES", { id: count, parts: list(changedPart) }),
  SYNCED: of<Server<"SYNCED">>()("SYNCED", { id: count }),
  WANT_DIGESTS: of<Server<"WANT_DIGESTS">>()("WANT_DIGESTS", {
    id: count,
    salt,
    partitionIds: list(partitionId),
  }),
  RESYNC: of<Server<"RESYNC">>()("RESYNC", {}),
};

// ------------------------------------------------------------------ samples

const P3 = PartitionId(3);
const at = { since: Epoch(5), seq: Seq(77) };
const sample: Row = {
  map: "users",
  key: "user:1",
  kind: "lww",
  sub: "",
  stamp: { millis: 1_700_000_000_000, counter: 2, node: "c-1" },
  value: Uint8Array.of(1, 2, 3),
  expiresAt: null,
};
const after = { map: "users", key: "user:1", kind: "lww", sub: "" } as const;

export const subscriptionSamples = {
  interest: { type: "INTEREST", n: Seq(6), map: "users", partitionIds: [P3] },
  interested: {
    type: "INTERESTED",
    n: Seq(6),
    map: "users",
    positions: [{ partitionId: P3, ...at }],
    notOwned: [
      {
        partitionId: PartitionId(4),
        epoch: Epoch(9),
        owner: NodeId("n2"),
        since: Epoch(9),
        copies: [],
      },
    ],
  },
  "rows changed": {
    type: "ROWS_CHANGED",
    n: Seq(9),
    again: false,
    parts: [
      {
        map: "users",
        partitionId: P3,
        since: Epoch(5),
        from: Seq(70),
        to: Seq(77),
        rows: [sample],
      },
    ],
  },
  "rows heard": {
    type: "ROWS_HEARD",
    n: Seq(9),
    listens: true,
    unwanted: [{ map: "users", partitionId: P3 }],
  },
  "fetch rows": {
    type: "FETCH_ROWS",
    fetchId: Seq(8),
    query: {
      map: "users",
      prefix: "user:",
      keys: ["user:1"],
      filter: { op: "eq", field: "a.b", value: 1 },
    },
    reads: [
      { partitionId: P3, after: null, want: { type: "changes", ...at } },
      { partitionId: P3, after, want: { type: "rows", count: 4, which: [1, 3] } },
      { partitionId: P3, after, want: { type: "digest", count: 4, salt: { a: 1, b: 2 } } },
    ],
  },
  "fetched rows": {
    type: "FETCHED_ROWS",
    fetchId: Seq(8),
    pages: [
      { partitionId: P3, ...at, after, rows: [sample] },
      { partitionId: P3, ...at, after: null, rows: [], digest: new Uint8Array(32), stale: true },
    ],
    notOwned: [],
  },
} satisfies Record<string, SubscriptionMessage>;

export const subscriberSamples = {
  subscribe: {
    type: "SUBSCRIBE",
    seq: 5,
    id: 1,
    map: "users",
    prefix: "user:",
    filter: {
      op: "and",
      all: [
        { op: "ge", field: "age", value: 18 },
        { op: "not", filter: { op: "in", field: "city", values: ["Riga", null] } },
      ],
    },
    positions: [{ partitionId: P3, ...at }],
  },
  unsubscribe: { type: "UNSUBSCRIBE", id: 1 },
  digests: {
    type: "DIGESTS",
    seq: 6,
    id: 1,
    parts: [{ partitionId: P3, buckets: new Uint8Array(12) }],
  },
} satisfies Record<string, ClientMessage>;

export const subscribedSamples = {
  changes: {
    type: "CHANGES",
    id: 1,
    parts: [
      { partitionId: P3, position: at, replaces: null, rows: [sample, { ...sample, value: null }] },
      { partitionId: PartitionId(4), position: null, replaces: { count: 4, which: [1] }, rows: [] },
    ],
  },
  synced: { type: "SYNCED", id: 1 },
  "want digests": { type: "WANT_DIGESTS", id: 1, salt: { a: 1, b: 2 }, partitionIds: [P3] },
  resync: { type: "RESYNC" },
} satisfies Record<string, ServerMessage>;
