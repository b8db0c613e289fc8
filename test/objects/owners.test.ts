/** What the front asks an owner, and when it asks again. */
import { expect, it } from "vitest";
import { ClusterId, Epoch, NodeId, PartitionId, Seq, Version } from "../../src/data/ids.ts";
import { ok } from "../../src/data/result.ts";
import { ClusterPartitionTable } from "../../src/core/placement/table.ts";
import { makeError, type ErrorInfo } from "../../src/protocol/errors.ts";
import type { IncrementOp, OpResult, ReadOp } from "../../src/protocol/ops.ts";
import type { Answer, Front } from "../../src/worker/front.ts";
import { forward } from "../../src/worker/owners.ts";

const N1 = NodeId("n1");
const increment: IncrementOp = { type: "increment", map: "m", key: "k", inc: 1, dec: 0 };
const read: ReadOp = { type: "read", map: "m", key: "k" };
const silent: Answer = { type: "failed", again: true, reason: "no answer" };
const refused = (error: ErrorInfo): OpResult => ({ type: "refused", error });
const stored: OpResult = { type: "stored", stamp: { millis: 1, counter: 0, node: "n1.1" } };
const answered = (...results: OpResult[]): Answer => ({
  type: "answered",
  message: { type: "OP_FORWARDED", forwardId: Seq(1), results, notOwned: [] },
});
const lost = makeError("OWNER_UNREACHABLE", { partitionId: 0 });
const full = makeError("OVERLOADED", { field: "pending ops", value: 2, max: 1 });

/** Whose owner answers so, one answer after the other. */
function frontOf(answers: Answer[], other?: Front): { front: Front; asked: () => number } {
  let asked = 0;
  const ruling = {
    partitionId: PartitionId(0),
    epoch: Epoch(1),
    owner: N1,
    since: Epoch(1),
    copies: [],
  };
  const table = ClusterPartitionTable.empty(1).applyAssignments([ruling], Version(1));
  const known = { table, view: { version: Version(1), members: [] } };
  const front = {
    clusterId: ClusterId("main"),
    known: () => Promise.resolve(ok(known)),
    recalled: () => known,
    refetch: () => Promise.resolve(ok(known)),
    pause: (attempt: number) => Promise.resolve(attempt < 3),
    callOwner: () => Promise.resolve(answers[Math.min(asked++, answers.length - 1)]),
    into: () => other,
  };
  return { front: front as unknown as Front, asked: () => asked };
}

const OWNER = { follow: true, ack: "owner" } as const;

it("asks again for what may be asked twice, until it is answered", async () => {
  const { front, asked } = frontOf([silent, answered(refused(full)), answered(stored)]);
  expect(await forward(front, [read], OWNER)).toEqual([stored]);
  expect(asked()).toBe(3);
});

async function isUnknown(answer: Answer): Promise<void> {
  const { front, asked } = frontOf([answer, answered(stored)]);
  const [result] = await forward(front, [increment], OWNER);
  expect(result).toMatchObject({ error: { code: "OUTCOME_UNKNOWN", retry: "never" } });
  expect(asked()).toBe(1);
}

it("says that nothing is known of an increment whose owner is silent, and asks once", () =>
  isUnknown(silent));

it("says so, too, where its owner has lost the partition before it could answer", () =>
  isUnknown(answered(refused(lost))));

it("asks again for an increment that was refused before it was counted", async () => {
  const { front, asked } = frontOf([answered(refused(full)), answered(stored)]);
  expect(await forward(front, [increment], OWNER)).toEqual([stored]);
  expect(asked()).toBe(2);
});

it("goes after an increment to the cluster that has its partition", async () => {
  const there = frontOf([answered(stored)]);
  const merged = makeError("CLUSTER_MERGED", { clusterId: "main", into: "west" });
  const { front, asked } = frontOf([answered(refused(merged))], there.front);
  expect(await forward(front, [increment], OWNER)).toEqual([stored]);
  expect([asked(), there.asked()]).toEqual([1, 1]);
});
