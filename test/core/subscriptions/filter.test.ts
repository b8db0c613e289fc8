import { encode } from "@msgpack/msgpack";
import { describe, expect, it } from "vitest";
import { fits } from "../../../src/core/subscriptions/filter.ts";
import type { Row } from "../../../src/data/row.ts";
import { filterProblem, type Filter } from "../../../src/protocol/filter.ts";
import { Followed } from "./followed.ts";

const person = { name: "Ada", age: 36, city: null, address: { zip: "10115" }, tags: ["a"] };
const rowOf = (value: Uint8Array | null): Row => ({
  map: "m",
  key: "k",
  kind: "lww",
  sub: "",
  expiresAt: null,
  stamp: { millis: 1, counter: 0, node: "w" },
  value,
});
const holds = (filter: Filter, value: unknown = person): boolean =>
  fits({ map: "m", filter }, rowOf(encode(value)));

describe("a filter", () => {
  it.each<[Filter, boolean]>([
    [{ op: "eq", field: "name", value: "Ada" }, true],
    [{ op: "ne", field: "name", value: "Ada" }, false],
    [{ op: "eq", field: "city", value: null }, true],
    [{ op: "eq", field: "missing", value: null }, true],
    [{ op: "eq", field: "constructor", value: null }, true],
    [{ op: "lt", field: "age", value: 36 }, false],
    [{ op: "le", field: "age", value: 36 }, true],
    [{ op: "gt", field: "age", value: "3" }, false],
    [{ op: "ge", field: "address.zip", value: "10" }, true],
    [{ op: "in", field: "age", values: [1, 36] }, true],
    [{ op: "prefix", field: "address.zip", value: "101" }, true],
    [{ op: "and", all: [] }, true],
    [{ op: "or", all: [] }, false],
    [{ op: "not", filter: { op: "prefix", field: "age", value: "3" } }, true],
  ])("%j: %s", (filter, expected) => {
    expect(filterProblem(filter)).toBeNull();
    expect(holds(filter)).toBe(expected);
  });

  it("fits neither what is deleted nor what nobody can decode", () => {
    const all: Filter = { op: "and", all: [] };
    expect(fits({ map: "m", filter: all }, rowOf(null))).toBe(false);
    expect(fits({ map: "m", filter: all }, rowOf(Uint8Array.of(0xc1)))).toBe(false);
    expect(fits({ map: "m" }, rowOf(Uint8Array.of(0xc1)))).toBe(true);
  });

  const nested = (levels: number): Filter =>
    levels === 1 ? { op: "eq", field: "a", value: 1 } : { op: "not", filter: nested(levels - 1) };

  it.each<[string, unknown, string]>([
    ["too deep", nested(5), "depth of filter.filter.filter.filter.filter"],
    [
      "too large",
      { op: "or", all: Array.from({ length: 32 }, () => nested(1)) },
      "terms of filter",
    ],
    ["too many values", { op: "in", field: "a", values: Array.from({ length: 33 }, () => 1) }, ""],
    ["no operation", { op: "regex", field: "a", value: "(a+)+" }, "filter.op"],
    ["not ordered", { op: "lt", field: "a", value: true }, "filter.value"],
  ])("%s is refused by name", (_, filter, field) => {
    const error = filterProblem(filter)?.("filter");
    expect(error?.data["field"]).toContain(field);
  });
});

it("a subscriber with a filter is told when an entry comes to fit, and when it does no more", () => {
  const world = new Followed();
  world.put(["a", "b"], encode({ age: 10 }));
  world.put(["c"], encode({ age: 30 }));
  world.live(200);
  const query = { map: "m", filter: { op: "ge", field: "age", value: 18 } } as const;
  const adults = world.subscribe(world.ownerOf(0), query);
  expect(adults.rows.map(({ key }) => key)).toEqual(["c"]);
  world.put(["a"], encode({ age: 18 }));
  world.put(["c"], encode({ age: 2 }));
  world.live(200);
  expect(adults.rows.map(({ key }) => key)).toEqual(["a"]);
});

it("one of some keys, or of a prefix, is told of these", () => {
  const world = new Followed();
  world.put(["a1", "a2", "b1", "b"], encode(1));
  world.live(200);
  const some = world.subscribe(world.ownerOf(0), { map: "m", keys: ["a1", "b"] });
  const prefixed = world.subscribe(world.ownerOf(1), { map: "m", prefix: "a" });
  world.put(["a1", "a3", "b1"], encode(2));
  world.live(200);
  expect(some.rows.map(({ key }) => key).toSorted((x, y) => x.localeCompare(y))).toEqual([
    "a1",
    "b",
  ]);
  expect(prefixed.rows.map(({ key }) => key).toSorted((x, y) => x.localeCompare(y))).toEqual([
    "a1",
    "a2",
    "a3",
  ]);
});
