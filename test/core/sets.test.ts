/** Sets and counters at nodes: what is added and removed, counted and read, over moves and losses. */
import { describe, expect, it } from "vitest";
import { countSub, encodeTotal } from "../../src/data/count.ts";
import { COUNT_STAMP } from "../../src/data/count-stamp.ts";
import type { Stamp } from "../../src/data/hlc.ts";
import { Seq, type NodeId } from "../../src/data/ids.ts";
import type { Row } from "../../src/data/row.ts";
import type { ClientOp, ServerMessage } from "../../src/protocol/client-messages.ts";
import { REPLICAS_MAX } from "../../src/protocol/limits.ts";
import type { Op, ReadResult } from "../../src/protocol/ops.ts";
import type { Stage } from "../scripts/stage.ts";
import { A, B, C, cluster, entryOf, ownerOf, P, silence, work } from "./trio.ts";

const SET = { map: "m", key: "set" };
const COUNTER = { map: "m", key: "counter" };
const element = (n: number): Uint8Array => Uint8Array.of(n);

let seq = 0;
const tagAt = (millis: number): Stamp => ({ millis, counter: ++seq, node: "client" });

const add = (n: number, stamp: Stamp): ClientOp => ({
  ...SET,
  type: "add",
  stamp,
  value: element(n),
  expiresAt: null,
});
const remove = (n: number, stamp: Stamp, tags: readonly Stamp[] | null): ClientOp => ({
  ...SET,
  type: "remove",
  stamp,
  value: element(n),
  tags,
});
const count = (inc: number, dec: number): ClientOp => ({ ...COUNTER, type: "count", inc, dec });

function send(stage: Stage, at: NodeId, ops: readonly ClientOp[], ack?: "backup"): number {
  stage.client(at, { type: "OPS", seq: ++seq, ops, ...(ack && { ack }) });
  return seq;
}

const answerTo = (stage: Stage, n: number): ServerMessage | undefined =>
  stage.answers.find(
    (answer) => answer.type !== "NOT_OWNER" && "seq" in answer && answer.seq === n,
  );

function ask(stage: Stage, at: NodeId, question: "members" | "total"): ReadResult | undefined {
  const members = { ...SET, type: "members", after: null, limit: 100 } as const;
  const key = question === "members" ? members : ({ ...COUNTER, type: "total" } as const);
  stage.client(at, { type: "GET", seq: ++seq, keys: [key] });
  const n = seq;
  stage.live(200);
  const answer = answerTo(stage, n);
  return answer?.type === "VALUES" ? answer.values[0] : undefined;
}

function membersAt(stage: Stage, at: NodeId): number[] {
  const answer = ask(stage, at, "members");
  expect(answer?.type).toBe("members");
  if (answer?.type !== "members") return [];
  return answer.members.map(({ value }) => value[0] ?? -1).toSorted((a, b) => a - b);
}

function totalAt(stage: Stage, at: NodeId): number {
  const answer = ask(stage, at, "total");
  return answer?.type === "total" ? answer.inc - answer.dec : NaN;
}

/** As over HTTP. */
function front(stage: Stage, ops: readonly Op[], to = A): void {
  const forwardId = Seq(++seq);
  const head = { type: "OP_FORWARD", sourceNodeId: "front", forwardId, rulings: [] } as const;
  stage.ask({ ...head, ops }, to);
}
const increment = (inc: number, dec = 0): Op => ({ ...COUNTER, type: "increment", inc, dec });

const rowsAt = (stage: Stage, id: NodeId): readonly Row[] =>
  stage
    .node(id)
    .rows.page(P, null, { rowsMax: 100_000, bytesMax: 1e9 })
    .rows.map(({ row }) => row);

describe("a set", () => {
  it("has what was added: three adds, then a fresh reader sees three values; removing one leaves two", () => {
    const stage = cluster();
    const tags = [1, 2, 3].map((n) => tagAt(stage.now + n));
    for (const [i, tag] of tags.entries()) send(stage, i % 2 ? B : A, [add(i + 1, tag)]);
    stage.live(100);
    expect(membersAt(stage, C)).toEqual([1, 2, 3]);
    send(stage, B, [remove(2, tagAt(stage.now), tags.slice(1, 2))]);
    stage.live(100);
    for (const id of [A, B, C]) expect(membersAt(stage, id)).toEqual([1, 3]);
  });

  it("never had what is removed before it comes", () => {
    const stage = cluster();
    const tag = tagAt(stage.now + 50);
    send(stage, A, [remove(1, tagAt(stage.now), [tag])]);
    const late = send(stage, A, [add(1, tag)]);
    stage.live(100);
    expect(membersAt(stage, A)).toEqual([]);
    const answer = answerTo(stage, late);
    expect(answer).toMatchObject({ exceptions: [{ index: 0, result: { type: "superseded" } }] });
  });

  it("keeps an add that a removal has not seen, whatever their stamps", () => {
    const stage = cluster();
    const [seen, unseen] = [tagAt(stage.now), tagAt(stage.now)];
    send(stage, A, [add(1, seen)]);
    send(stage, A, [add(1, unseen)]);
    send(stage, A, [remove(1, tagAt(stage.now + 500), [seen])]);
    expect(membersAt(stage, A)).toEqual([1]);
    const answer = ask(stage, A, "members");
    expect(answer).toMatchObject({ members: [{ tags: [unseen] }] });
  });

  it("loses with a removal that names no tags what its owner has by then, also in the same frame, and no more", () => {
    const stage = cluster();
    const [first, second, third] = [tagAt(stage.now), tagAt(stage.now), tagAt(stage.now)];
    send(stage, A, [add(1, first), add(2, first)]);
    const all = remove(1, tagAt(stage.now), null);
    send(stage, A, [add(1, second), all, add(1, third)]);
    expect(membersAt(stage, A)).toEqual([1, 2]);
    expect(ask(stage, A, "members")).toMatchObject({
      members: expect.arrayContaining([{ value: element(1), tags: [third] }]),
    });
    send(stage, B, [all]);
    stage.live(100);
    expect(membersAt(stage, C)).toEqual([2]);
  });

  it("is the same everywhere where one tag was given to two elements, or one stamp to two removals", () => {
    const stage = cluster({ backupCount: 2 });
    const [tag, one] = [tagAt(stage.now), tagAt(stage.now)];
    send(stage, A, [add(1, tag), add(2, tag)]);
    send(stage, A, [remove(1, one, [tag]), remove(1, one, [tag]), remove(2, one, [tag])]);
    send(stage, A, [add(2, one), add(3, one)]);
    stage.live(2_000);
    expect(membersAt(stage, A)).toEqual([2, 3]);
    expect(rowsAt(stage, B)).toEqual(rowsAt(stage, A));
    expect(rowsAt(stage, C)).toEqual(rowsAt(stage, A));
  });

  it("is read a part at a time, each element once", () => {
    const stage = cluster();
    for (let n = 0; n < 60; n++)
      send(stage, A, [add(n, tagAt(stage.now)), add(n, tagAt(stage.now))]);
    const read: number[] = [];
    let after: string | null = null;
    do {
      const asked = { ...SET, type: "members", after, limit: 7 } as const;
      stage.client(A, { type: "GET", seq: ++seq, keys: [asked] });
      const answer = answerTo(stage, seq);
      const [page] = answer?.type === "VALUES" ? answer.values : [];
      if (page?.type !== "members") break;
      expect(page.members.length).toBeLessThanOrEqual(7);
      for (const { value, tags } of page.members) {
        expect(tags).toHaveLength(2);
        read.push(value[0] ?? -1);
      }
      ({ after } = page);
    } while (after !== null);
    expect(read.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, n) => n));
  });

  it("takes no tag that is ahead of every clock: its removal would never be forgotten", () => {
    const stage = cluster();
    const far = tagAt(stage.now + 120_000);
    const n = send(stage, A, [remove(1, tagAt(stage.now), [far])]);
    expect(answerTo(stage, n)).toMatchObject({
      exceptions: [{ result: { error: { code: "CLOCK_DRIFT" } } }],
    });
    expect(rowsAt(stage, A)).toEqual([]);
  });
});

describe("a counter", () => {
  it("counts what was sent twice, or overtaken, once", () => {
    const stage = cluster();
    for (const op of [count(5, 0), count(5, 1), count(5, 1), count(5, 0), count(3, 0)])
      send(stage, B, [op]);
    stage.live(100);
    for (const id of [A, B, C]) expect(totalAt(stage, id)).toBe(4);
  });

  it("counts what one client says for another that is no more as what that one has said", () => {
    const stage = cluster();
    const replica = "gone";
    send(stage, B, [count(5, 0)]);
    send(stage, B, [{ ...COUNTER, type: "count", inc: 3, dec: 0, replica }]);
    stage.client(A, { type: "OPS", seq: 1, ops: [count(2, 1)] }, replica);
    stage.live(100);
    for (const id of [A, B, C]) expect(totalAt(stage, id)).toBe(5 + 3 - 1);
  });

  it("has the greater of each side of a client that forgot the other, at every copy", () => {
    const stage = cluster({ backupCount: 2 });
    send(stage, A, [count(5, 0)]);
    send(stage, A, [count(1, 2)]);
    stage.live(2_000);
    expect(totalAt(stage, A)).toBe(3);
    for (const id of [B, C]) expect(rowsAt(stage, id)).toEqual(rowsAt(stage, A));
  });

  it("adds up what callers without an id ask for, together or one after the other", () => {
    const stage = cluster();
    front(stage, [increment(2), increment(3), increment(0, 1)]);
    front(stage, [increment(10)]);
    stage.live(100);
    expect(totalAt(stage, B)).toBe(14);
  });

  it("refuses one replica more than it may have, and names the bound; those that it has go on", () => {
    const stage = cluster();
    const replica = (n: number): Row => ({
      ...COUNTER,
      kind: "pn",
      sub: countSub(`r${n}`, "inc"),
      stamp: COUNT_STAMP,
      value: encodeTotal(1),
      expiresAt: null,
    });
    const rows = Array.from({ length: REPLICAS_MAX - 1 }, (_, n) => ({
      row: replica(n),
      seq: Seq(1),
    }));
    stage.node(A).rows.write(P, rows);
    const merge = (n: number): Op => ({ ...COUNTER, type: "merge", rows: [replica(n)] });
    front(stage, [merge(REPLICAS_MAX), merge(REPLICAS_MAX + 1), increment(1), merge(0)]);
    stage.lines.splice(0);
    stage.live(100);
    const told = rowsAt(stage, A).length;
    expect(told).toBe(REPLICAS_MAX);
    expect(totalAt(stage, A)).toBe(REPLICAS_MAX);
    const n = send(stage, A, [count(1, 0)]);
    expect(answerTo(stage, n)).toMatchObject({
      exceptions: [
        {
          result: {
            error: {
              code: "OUT_OF_BOUNDS",
              data: { field: "replicas of the counter", max: REPLICAS_MAX },
            },
          },
        },
      ],
    });
  });

  it("says that a total is too large to be told, rather than a wrong one", () => {
    const stage = cluster();
    front(stage, [increment(Number.MAX_SAFE_INTEGER)]);
    send(stage, A, [count(1, 0)]);
    stage.live(100);
    expect(ask(stage, A, "total")).toMatchObject({ error: { code: "OUT_OF_BOUNDS" } });
    front(stage, [increment(1)]);
    stage.live(100);
    expect(rowsAt(stage, A)).toHaveLength(2);
  });
});

describe("over moves and losses", () => {
  it("what a closing move holds is at the next owner once, and says so", () => {
    const stage = cluster();
    const tag = tagAt(stage.now);
    send(stage, A, [add(1, tag), add(2, tag), count(1, 0)]);
    silence(stage, [], "MIGRATE_DATA");
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: B });
    stage.live(50);
    stage.cut = (from, _, message) =>
      message.type === "MIGRATE_READY" ||
      (message.type === "STREAM_ACK" && from === B && isReady());
    const isReady = (): boolean => {
      const role = stage.node(A).load().saved.partitions.get(P)?.role;
      return role?.type === "owner" && role.move?.phase === "ready";
    };
    work(stage, 1_500, [A, B]);
    expect(isReady()).toBe(true);
    const n = send(stage, A, [remove(1, tagAt(stage.now), null), count(3, 1)]);
    front(stage, [increment(7)]);
    stage.live(50);
    expect(answerTo(stage, n), "held for the copy").toBeUndefined();
    stage.cut = (_, __, message) => message.type === "STREAM_ACK";
    work(stage, 3_000, [A, B]);
    expect(ownerOf(stage)).toBe(B);
    stage.cut = () => false;
    work(stage, 3_000, [A, B]);
    expect(answerTo(stage, n)).toMatchObject({ type: "ACK", exceptions: [] });
    for (const id of [A, B, C]) {
      expect(membersAt(stage, id)).toEqual([2]);
      expect(totalAt(stage, id)).toBe(9);
    }
  });

  it("a removal that finds nothing left waits for the backups as the one before it does", () => {
    const stage = cluster({ backupCount: 1 });
    const tag = tagAt(stage.now);
    send(stage, A, [add(1, tag)]);
    stage.live(2_000);
    const all = remove(1, tagAt(stage.now), null);
    stage.cut = (_, __, message) => message.type === "MIGRATE_DATA";
    const first = send(stage, A, [all], "backup");
    const second = send(stage, A, [all], "backup");
    stage.live(20);
    expect(answerTo(stage, first)).toBeUndefined();
    expect(answerTo(stage, second)).toBeUndefined();
    stage.cut = () => false;
    stage.live(2_000);
    expect(answerTo(stage, second)).toMatchObject({ type: "ACK", exceptions: [] });
  });

  it("an owner that is one again does not count on from less than it had counted [I6]", () => {
    const stage = cluster({ backupCount: 1 });
    front(stage, [increment(3)]);
    work(stage, 2_000);
    const [heir] = (entryOf(stage)?.ruling.copies ?? []).map(({ nodeId }) => nodeId);
    const claim = (nodeId: NodeId): void => {
      const epoch = entryOf(stage)?.ruling.epoch;
      if (epoch !== undefined)
        stage.ask({ type: "CLAIM_PARTITION", partitionId: P, nodeId, epoch });
    };
    // It has given away all that it had, and the next owner has all of it alone.
    stage.cut = (from, _, message) => from !== A && message.type === "MIGRATE_DATA";
    claim(heir ?? B);
    work(stage, 1_000);
    expect(ownerOf(stage)).toBe(heir);
    expect(rowsAt(stage, A)).toEqual([]);
    stage.cut = (from, _, message) => from === heir && message.type === "ROW_OFFER";
    claim(A);
    work(stage, 1_000);
    expect(totalAt(stage, A), "nothing, by force").toBe(0);
    front(stage, [increment(8)]);
    work(stage, 500);
    stage.cut = () => false;
    work(stage, 8_000);
    expect(ownerOf(stage)).toBe(A);
    for (const id of [A, B, C]) expect(totalAt(stage, id)).toBe(11);
  });
});
