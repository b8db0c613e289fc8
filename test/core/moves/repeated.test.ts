/** A write that is repeated after its owner has forgotten that it was on its way. */
import { expect, it } from "vitest";
import type { ClusterMessage } from "../../../src/protocol/cluster-messages.ts";
import type { Stage } from "../../scripts/stage.ts";
import { A, B, isAcked, P, put, silence, valueAt, withCopy } from "../trio.ts";

const isChunk = (message: ClusterMessage): boolean =>
  message.type === "MIGRATE_DATA" && message.chunk.length > 0;

/** The same write once more, whoever sends it. */
function repeat(stage: Stage, seq: number, key: string, millis: number): void {
  const stamp = { millis, counter: seq, node: "client" };
  const op = { map: "m", key, stamp, value: Uint8Array.of(1), expiresAt: null };
  stage.client(A, { type: "OPS", seq: seq + 100, ops: [op] });
}

it("is acknowledged by an owner that is ready to go only when its successor has it [I5, sim seed 1000306]", () => {
  const stage = withCopy();
  silence(stage, [B], "MIGRATE_READY");
  const millis = stage.now;
  const first = put(stage, A, "lost", 1);
  stage.live(10);
  expect(isAcked(stage, first)).toBe(false);
  stage.node(A).crash();
  // What was changed before goes with the scan, and of that nothing arrives.
  stage.cut = (_from, _to, message) => isChunk(message) || message.type === "MIGRATE_READY";
  const next = put(stage, A, "next", 1);
  stage.live(600);
  expect([isAcked(stage, next), valueAt(stage, B, "next")]).toEqual([true, 1]);
  repeat(stage, first, "lost", millis);
  stage.live(1);
  expect(valueAt(stage, B, "lost")).toBeUndefined();
  expect(isAcked(stage, first + 100)).toBe(false);
  silence(stage, [], "MIGRATE_READY");
  stage.live(600);
  expect([isAcked(stage, first + 100), valueAt(stage, B, "lost")]).toEqual([true, 1]);
  expect(stage.node(A).disk.partitions.get(P)?.role).toMatchObject({ move: { phase: "ready" } });
});
