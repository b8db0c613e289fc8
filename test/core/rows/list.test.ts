import { describe, expect, it } from "vitest";
import type { ListEffect, Listed } from "../../../src/core/rows/effects.ts";
import { PartitionId, Seq } from "../../../src/data/ids.ts";
import type { Row } from "../../../src/data/row.ts";
import { ask, keys, node, row, type Node } from "./fixtures.ts";

describe("list and read", () => {
  it("gives visible entries of one map, partition after partition, until the limit", () => {
    const n = withRows({
      1: [row("b"), row("a"), row("gone", 1, { value: null }), row("x", 1, { map: "other" })],
      2: [row("c"), row("old", 1, { expiresAt: 100 }), row("soon", 1, { expiresAt: 101 })],
      3: [row("d")],
    });
    expect(namesOf(list(n, { limit: 10 }))).toEqual([
      [1, "a b", true],
      [2, "c soon", true],
      [3, "d", true],
    ]);
    expect(namesOf(list(n, { limit: 3 }))).toEqual([
      [1, "a b", true],
      [2, "c", false],
    ]);
    expect(namesOf(list(n, { limit: 2 }))).toEqual([[1, "a b", false]]); // a tombstone follows
    expect(namesOf(list(n, { limit: 10, after: "a" }))).toEqual([
      [1, "b", true],
      [2, "c soon", true],
      [3, "d", true],
    ]);
  });

  it("passes any number of tombstones on the way to the next entry", () => {
    const dead = keys(50).map((each) => ({ ...each, value: null }));
    const n = withRows({ 1: [...dead, row("z")] });
    expect(namesOf(list(n, { limit: 1 }))).toEqual([[1, "z", true]]);
  });

  it("ends before an answer grows too large, with a place to go on from", () => {
    const value = new Uint8Array(256 * 1024);
    const rows = keys(20).map((each) => ({ ...each, value }));
    const n = withRows({ 1: rows, 2: rows });
    const names: string[] = [];
    const from = { after: null as string | null, partitionIds: [1, 2].map(PartitionId) };
    for (let answers = 1; from.partitionIds.length > 0; answers++) {
      const lists = list(n, { ...from, limit: 1_000 });
      const sent = lists.flatMap((listed) => listed.rows);
      expect(sent.length).toBeLessThan(6);
      names.push(...sent.map(({ key }) => key));
      const last = lists.at(-1);
      from.after = last?.done === false ? (last.rows.at(-1)?.key ?? null) : null;
      from.partitionIds = from.partitionIds.slice(lists.filter(({ done }) => done).length);
      expect(answers).toBeLessThan(20);
    }
    expect(names).toEqual([...rows, ...rows].map(({ key }) => key));
  });

  it("reads rows in the order asked, tombstones too", () => {
    const gone = row("gone", 1, { value: null });
    const n = withRows({ 1: [row("a"), gone] });
    const identities = [row("none"), gone, row("a")];
    const batches = [{ partitionId: PartitionId(1), identities }];
    const answer = ask(n, "rows-read", { type: "read-rows", batches, bytesMax: 100, tag: "tag" });
    expect(answer.batches).toEqual([{ partitionId: 1, rows: [undefined, gone, row("a")] }]);
  });

  it("reads no further row once it has as many bytes as it may", () => {
    const rows = Array.from({ length: 100 }, (_, i) =>
      row(`k${i}`, 1, { value: new Uint8Array(10) }),
    );
    const n = withRows({ 1: rows, 2: [row("z")] });
    const batches = [1, 2].map((id) => ({
      partitionId: PartitionId(id),
      identities: id === 1 ? rows : [row("z")],
    }));
    const answer = ask(n, "rows-read", { type: "read-rows", batches, bytesMax: 600, tag: "tag" });
    const [first, second] = answer.batches.map(({ rows: found }) => found);
    expect(first?.slice(0, 64)).toEqual(rows.slice(0, 64));
    expect(first?.slice(64)).toEqual(Array.from({ length: 36 }, () => "not read"));
    expect(second).toEqual(["not read"]);
  });
});

function withRows(partitions: Readonly<Record<number, readonly Row[]>>): Node {
  const n = node();
  const batches = Object.entries(partitions).map(([id, rows]) => ({
    partitionId: PartitionId(Number(id)),
    rows,
    seq: Seq(1),
  }));
  ask(n, "merged", { type: "merge", batches, tag: "tag" });
  return n;
}

function list(on: Node, change: Partial<ListEffect<"tag">>): readonly Listed[] {
  return ask(on, "listed", {
    type: "list-rows",
    partitionIds: [1, 2, 3].map(PartitionId),
    map: "m",
    prefix: "",
    after: null,
    limit: 10,
    nowMs: 100,
    tag: "tag",
    ...change,
  }).lists;
}

const namesOf = (lists: readonly Listed[]): [number, string, boolean][] =>
  lists.map(({ partitionId, rows, done }) => [
    partitionId,
    rows.map(({ key }) => key).join(" "),
    done,
  ]);
