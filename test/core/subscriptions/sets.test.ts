/** Sets and counters, to whoever follows their map: rows as any others, but for what a writer and a filter know of them. */
import { encode } from "@msgpack/msgpack";
import { describe, expect, it } from "vitest";
import { decodeTotal } from "../../../src/data/count.ts";
import { PartitionId, Seq, type NodeId } from "../../../src/data/ids.ts";
import type { Row } from "../../../src/data/row.ts";
import type { ClientOp } from "../../../src/protocol/client-messages.ts";
import { FETCH_ROWS_MAX } from "../../../src/protocol/limits.ts";
import type { Op } from "../../../src/protocol/ops.ts";
import type { Subscriber } from "../../sim/subscriber.ts";
import { A, B, C, Followed, keys } from "./followed.ts";

const SET = { map: "m", key: "set" };
const COUNTER = { map: "m", key: "counter" };
const [RED, BLUE] = [encode("red"), encode("blue")];

let seq = 0;

/** As over HTTP: the owner stands in for whoever asks. */
function front(world: Followed, op: Op, to: NodeId): void {
  const head = { type: "OP_FORWARD", sourceNodeId: "front", rulings: [] } as const;
  world.stage.ask({ ...head, forwardId: Seq(++seq), ops: [op] }, to);
  world.live(200);
}

function send(world: Followed, writer: string, ops: readonly ClientOp[]): void {
  world.stage.client(A, { type: "OPS", seq: ++seq, ops }, writer);
  world.live(200);
}

const add = (key: string, value: Uint8Array, counter: number, millis = 1_000): ClientOp => ({
  type: "add",
  map: "m",
  key,
  stamp: { millis, counter, node: "writer" },
  value,
  expiresAt: null,
});

const elements = (reader: Subscriber): readonly (Uint8Array | null)[] =>
  reader.rows.filter(({ kind }) => kind === "or").map(({ value }) => value);

const totals = (rows: readonly Row[]): readonly unknown[] =>
  rows.flatMap(({ kind, value }) => (kind === "pn" && value ? [decodeTotal(value)] : []));

const ownerOf = (world: Followed): NodeId => world.ownerOf(0);
const beside = (owner: NodeId): NodeId => [A, B, C].find((id) => id !== owner) ?? A;

describe("a subscriber", () => {
  it("is told of an add, of its removal, and of what is counted over HTTP at another node", () => {
    const world = new Followed({ partitionCount: 1 });
    const owner = ownerOf(world);
    const reader = world.subscribe(beside(owner));
    front(world, { type: "add", ...SET, value: RED, expiresAt: null }, owner);
    front(world, { type: "add", ...SET, value: BLUE, expiresAt: null }, owner);
    expect(elements(reader)).toHaveLength(2);
    world.expectAll(reader);
    front(world, { type: "remove", ...SET, stamp: null, value: RED }, owner);
    expect(elements(reader)).toEqual([BLUE]);
    world.expectAll(reader);
    for (const inc of [2, 3]) front(world, { type: "increment", ...COUNTER, inc, dec: 0 }, owner);
    front(world, { type: "increment", ...COUNTER, inc: 0, dec: 1 }, owner);
    expect(totals(reader.rows)).toEqual([
      { ok: true, value: 5 },
      { ok: true, value: 1 },
    ]);
    world.expectAll(reader);
  });

  it("is told of its own adds, removals and counts", () => {
    const world = new Followed({ partitionCount: 1 });
    const reader = world.subscribe(B, { map: "m" }, "me");
    send(world, "me", [add("set", RED, 1), { type: "count", ...COUNTER, inc: 9, dec: 2 }]);
    expect(elements(reader)).toHaveLength(1);
    expect(totals(reader.rows)).toHaveLength(2);
    const stamp = { millis: world.stage.now, counter: 0, node: "me" };
    send(world, "me", [{ type: "remove", ...SET, stamp, value: RED, tags: null }]);
    expect(elements(reader)).toEqual([]);
    world.expectAll(reader);
  });

  it("that was away comes back to sets and counters, also at another owner", () => {
    const world = new Followed({ partitionCount: 1 });
    for (let n = 0; n < 40; n++) send(world, "writer", [add("set", encode(n), n)]);
    send(world, "writer", [{ type: "count", ...COUNTER, inc: 4, dec: 1 }]);
    const reader = world.subscribe(B);
    const changes = (n: number): void => {
      const stamp = { millis: world.stage.now, counter: 0, node: "writer" };
      send(world, "writer", [
        { type: "remove", ...SET, stamp, value: encode(n), tags: null },
        add("set", encode(100 + n), 100 + n),
        { type: "count", ...COUNTER, inc: 10 + n, dec: 1 },
      ]);
    };
    world.leave(reader);
    changes(3);
    const before = reader.rowsTold;
    world.comeBack(reader, C);
    expect(reader.rowsTold - before).toBe(3);
    world.expectAll(reader);
    world.leave(reader);
    const to = beside(ownerOf(world));
    world.stage.ask({ type: "MOVE_PARTITION", partitionId: PartitionId(0), to });
    world.live(3_000);
    expect(ownerOf(world)).toBe(to);
    changes(7);
    const since = reader.rowsTold;
    world.comeBack(reader, B);
    expect(reader.rowsTold - since).toBeLessThan(20);
    world.expectAll(reader);
  });

  it("of some keys is given each row of their sets once, in few messages", () => {
    const world = new Followed({ partitionCount: 1 });
    const names = keys(0, 40);
    for (const key of names)
      send(
        world,
        "writer",
        Array.from({ length: 50 }, (_, n) => add(key, encode(n), n)),
      );
    world.stage.delivered.clear();
    // The first message is full with the last row there is, and says nothing of the last key.
    const query = { map: "m", keys: [...names, "none"] };
    const reader = world.subscribe(beside(ownerOf(world)), query);
    expect(reader.rowsTold).toBe(FETCH_ROWS_MAX);
    expect(world.stage.delivered.get("FETCH_ROWS")).toBe(2);
    world.expectAll(reader);
  });

  it("of one large set is given it in few messages", () => {
    const world = new Followed({ partitionCount: 1 });
    const all = Array.from({ length: 900 }, (_, n) => add("set", encode(n), n));
    send(world, "writer", all);
    world.stage.delivered.clear();
    const reader = world.subscribe(beside(ownerOf(world)), { map: "m", keys: ["set", "none"] });
    expect(elements(reader)).toHaveLength(900);
    expect(world.stage.delivered.get("FETCH_ROWS")).toBe(1);
    world.expectAll(reader);
  });
});

it("a filter is about elements and entries: of a count, and of what never fitted, nobody is told", () => {
  const world = new Followed({ partitionCount: 1 });
  const query = { map: "m", filter: { op: "eq", field: "", value: "red" } } as const;
  const reader = world.subscribe(B, query);
  send(world, "writer", [add("set", RED, 1), add("set", BLUE, 2)]);
  send(world, "writer", [{ type: "count", ...COUNTER, inc: 4, dec: 0 }]);
  expect(elements(reader)).toEqual([RED]);
  expect(reader.rowsTold).toBe(1);
  world.leave(reader);
  send(world, "writer", [add("set", BLUE, 3), add("other", RED, 4)]);
  send(world, "writer", [{ type: "count", ...COUNTER, inc: 5, dec: 0 }]);
  world.comeBack(reader, C);
  expect(elements(reader)).toEqual([RED, RED]);
  expect(reader.rowsTold).toBe(2);
  const stamp = { millis: world.stage.now, counter: 0, node: "writer" };
  send(world, "writer", [{ type: "remove", ...SET, stamp, value: RED, tags: null }]);
  expect(elements(reader)).toEqual([RED]);
});
