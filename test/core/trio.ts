/** Three nodes with one partition, some of which fall silent. */
import { expect } from "vitest";
import { FAST, type Config } from "../../src/core/config.ts";
import { NodeId, PartitionId } from "../../src/data/ids.ts";
import type { NodeState } from "../../src/data/members.ts";
import type { ClusterMessage, Sender } from "../../src/protocol/cluster-messages.ts";
import type { AckLevel } from "../../src/protocol/ops.ts";
import { Stage } from "../scripts/stage.ts";

export const P = PartitionId(0);
const N = (n: number): NodeId => NodeId(`n${n}`);
export const [A, B, C] = [N(1), N(2), N(3)];
/** Those that come later. */
export const [D, E] = [N(4), N(5)];

/** A is the owner of the only partition. */
export function cluster(settings: Partial<Config> = {}): Stage {
  const stage = new Stage({
    ...FAST,
    backupCount: 0,
    initialNodes: 3,
    partitionCount: 1,
    ...settings,
  });
  stage.ask({ type: "FETCH_PARTITION_TABLE" });
  stage.live(2_000);
  expect(ownerOf(stage)).toBe(A);
  return stage;
}

export const entryOf = (stage: Stage) => stage.coordinator.disk.entries.get(P);
export const ownerOf = (stage: Stage): NodeId | null | undefined => entryOf(stage)?.ruling.owner;
export const stateOf = (stage: Stage, id: NodeId): NodeState | undefined =>
  stage.coordinator.disk.view.members.find(({ nodeId }) => nodeId === id)?.state;

export const silence = (
  stage: Stage,
  side: readonly Sender[],
  type?: ClusterMessage["type"],
): void => {
  stage.cut = (from, to, message) =>
    message.type === type ||
    (from !== "front" && to !== "front" && side.includes(from) !== side.includes(to));
};

/** Nothing to or from these, among each other either. */
export function without(stage: Stage, gone: readonly Sender[]): void {
  stage.cut = (from, to) => concerns(gone, from, to);
}
export const concerns = (gone: readonly Sender[], from: Sender, to: Sender): boolean =>
  from !== "front" && to !== "front" && (gone.includes(from) || gone.includes(to));

/** The coordinator is what it was when this copy was made. What was on its way to it or from it is lost. */
export function restore(stage: Stage, copy: Stage["coordinator"]["disk"]): void {
  stage.coordinator.crash();
  stage.letters = stage.letters.filter(
    ({ to, from }) => to !== "coordinator" && from !== "coordinator",
  );
  stage.coordinator.disk = copy;
}

export const ADD_ONE = { type: "ADD_NODES", count: 1, region: "", weight: 1 } as const;
export const evict = (nodeId: NodeId): ClusterMessage => ({
  type: "LEAVE_REQUEST",
  nodeId,
  force: true,
});

/** What operators were answered. */
export const told = (stage: Stage): readonly string[] =>
  stage.lines.filter((line) => line.startsWith("  operator: "));

let seq = 0;
export function put(
  stage: Stage,
  at: NodeId,
  key: string,
  ...[value, ack = "owner"]: readonly [value: number, ack?: AckLevel]
): number {
  const stamp = { millis: stage.now, counter: ++seq, node: "client" };
  const op = { map: "m", key, stamp, value: Uint8Array.of(value), expiresAt: null };
  stage.client(at, { type: "OPS", seq, ops: [op], ack });
  return seq;
}
export const isAcked = (stage: Stage, n: number): boolean =>
  stage.answers.some(
    (answer) => answer.type === "ACK" && answer.seq === n && answer.exceptions.length === 0,
  );

/** Somebody reads at these nodes all the while, so that they say that they are there. */
export function work(stage: Stage, ms: number, at: readonly NodeId[] = [A, B, C]): void {
  for (const end = stage.now + ms; stage.now < end; stage.live(100))
    for (const id of at)
      stage.client(id, { type: "GET", seq: 0, keys: [{ map: "m", key: "other" }] });
}

export const valueAt = (stage: Stage, id: NodeId, key: string): number | undefined =>
  stage.node(id).rows.read(P, [{ map: "m", key, kind: "lww", sub: "" }])[0]?.row.value?.[0];

/** A copy at B is complete by ruling, and the move to it goes no further. */
export function withCopy(): Stage {
  const stage = cluster();
  put(stage, A, "k", 1);
  silence(stage, [], "MIGRATE_READY");
  stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: B });
  work(stage, 1_000);
  expect(entryOf(stage)?.ruling.copies).toEqual([{ nodeId: B, state: "complete" }]);
  return stage;
}

/** More than is ever allowed: nobody counts on. */
const WAKES_MAX = 1_000;

/** Of anybody in the hour after everything has had the time to become quiet. */
export function wakesPerHour(stage: Stage): number {
  stage.live(600_000);
  stage.lines.splice(0);
  let wakes = 0;
  for (let minute = 0; minute < 60 && wakes <= WAKES_MAX; minute++) {
    stage.live(60_000);
    wakes += stage.lines.splice(0).filter((line) => line.includes(" wakes at ")).length;
  }
  return wakes;
}
