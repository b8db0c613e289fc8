/** What a node has noted of another counts only for as long as that one has it. */
import { describe, expect, it } from "vitest";
import type { NodeId } from "../../src/data/ids.ts";
import type { ClusterMessage, Sender } from "../../src/protocol/cluster-messages.ts";
import type { Stage } from "../scripts/stage.ts";
import { ownerOf as ownerIn, phaseOf, TwoClusters, WEST } from "./two-clusters.ts";
import {
  A,
  B,
  C,
  P,
  cluster,
  entryOf,
  evict,
  isAcked,
  ownerOf,
  put,
  valueAt,
  work,
} from "./trio.ts";

/** Neither hears the other. */
type Pair = readonly [Sender, Sender];

/** Some hear nobody, and some do not hear each other. */
function deaf(stage: Stage, alone: readonly NodeId[], pairs: readonly Pair[] = []): void {
  stage.cut = (from, to) =>
    from !== "front" &&
    to !== "front" &&
    (alone.some((id) => (from === id) !== (to === id)) ||
      pairs.some(([one, other]) => from === one && to === other));
}

const roleAt = (stage: Stage, id: NodeId) => stage.node(id).disk.partitions.get(P)?.role;

describe("an owner that took over and was lost before it had compared its copies", () => {
  it("offers its own heir what it had from the owner before, not only what came later [I6]", () => {
    const stage = cluster({ backupCount: 2 });
    work(stage, 500);
    const copies = entryOf(stage)?.ruling.copies.map(({ nodeId }) => nodeId) ?? [];
    expect(copies).toEqual([B, C]);
    deaf(stage, [], [[A, C]]);
    const write = put(stage, A, "k", 1);
    work(stage, 100, [A]);
    expect(isAcked(stage, write)).toBe(true);
    expect([B, C].map((id) => valueAt(stage, id, "k"))).toEqual([1, undefined]);
    // A is lost for good. B takes over, and C hears nothing of it.
    deaf(stage, [A], [[B, C]]);
    while (ownerOf(stage) === A) work(stage, 50, [B, C]);
    expect(ownerOf(stage)).toBe(B);
    stage.ask(evict(A));
    work(stage, 200, [B]);
    expect(roleAt(stage, B)).toMatchObject({ type: "owner", copies: [{ nodeId: C, digest: "" }] });
    expect(valueAt(stage, B, "k")).toBe(1);
    // B is lost, C takes over, and B comes back.
    deaf(stage, [A, B]);
    while (ownerOf(stage) === B) work(stage, 50, [C]);
    expect(ownerOf(stage)).toBe(C);
    expect(valueAt(stage, C, "k")).toBeUndefined();
    deaf(stage, [A]);
    work(stage, 20_000, [B, C]);
    expect(valueAt(stage, C, "k")).toBe(1);
  });
});

describe("a copy that forgot the stream in which it was told to collect", () => {
  it("has all that a repeated write waits for, and is not struck for it [I6, I15]", () => {
    const stage = cluster({
      backupCount: 1,
      tombstoneRetentionMs: 10_000,
      forwardTimeoutMs: 6_000,
    });
    const op = (key: string, value: number | null) => ({
      map: "m",
      key,
      stamp: { millis: stage.now, counter: 1, node: "client" },
      value: value === null ? null : Uint8Array.of(value),
      expiresAt: null,
    });
    stage.client(A, { type: "OPS", seq: 1_001, ops: [op("gone", null)] });
    work(stage, 27_000, [A]);
    const young = op("k", 1);
    stage.client(A, { type: "OPS", seq: 1_002, ops: [young] });
    const seen = { collecting: false };
    stage.cut = (from, _, message) => {
      seen.collecting ||= message.type === "MIGRATE_DATA" && message.collect !== undefined;
      return seen.collecting && from === B && message.type === "STREAM_ACK";
    };
    for (let i = 0; i < 500 && !seen.collecting; i++) work(stage, 50, [A]);
    work(stage, 50, [A]);
    expect(seen.collecting).toBe(true);
    stage.cut = () => false;
    stage.node(B).crash();
    work(stage, 2_000, [A]);
    const copies = [{ nodeId: B, state: "complete" }];
    expect(roleAt(stage, A)).toMatchObject({ type: "owner", copies });
    expect(valueAt(stage, B, "k")).toBe(1);
    const repeated = 1_003;
    stage.client(A, { type: "OPS", seq: repeated, ops: [young], ack: "backup" });
    stage.lines.splice(0);
    work(stage, 1_500, [A]);
    expect(entryOf(stage)?.ruling.copies).toEqual(copies);
    expect(isAcked(stage, repeated)).toBe(true);
  });
});

describe("an owner in the loser of a merge that is owner again", () => {
  it("offers anew what it had begun to offer before it was replaced [I8]", () => {
    const one = { partitionCount: 1, backupCount: 1 };
    const clusters = TwoClusters.formed({ initialNodes: 3, ...one }, { initialNodes: 5, ...one });
    const { east } = clusters;
    const isAckedThere = clusters.write(east, ownerIn(east, "k"), "k", 7);
    clusters.live(500);
    expect(isAckedThere()).toBe(true);
    const first = ownerIn(east, "k");
    const others = [...east.nodes.keys()].filter((id) => id !== first);
    clusters.cut = ({ message }) =>
      message.type === "ROW_OFFER" || message.type === "ROW_OFFER_ACK";
    const busy = (at: readonly NodeId[]): void => {
      for (const id of at) clusters.write(east, id, "other", 1);
      clusters.live(100);
    };
    east.ask({ type: "MERGE_CLUSTER", clusterId: WEST });
    for (let i = 0; i < 50 && phaseOf(east) !== "ceding"; i++) busy(others);
    for (let i = 0; i < 5; i++) busy([first]);
    expect(phaseOf(east)).toBe("ceding");
    deaf(east, [first]);
    for (let i = 0; i < 100 && ownerIn(east, "k") === first; i++) busy(others);
    const second = ownerIn(east, "k");
    expect(second).not.toBe(first);
    east.cut = () => false;
    for (let i = 0; i < 30; i++) busy([first, ...others]);
    expect(roleAt(east, first)?.type).toBe("struck");
    east.ask({ type: "LEAVE_REQUEST", nodeId: second, force: true });
    for (let i = 0; i < 30; i++) busy([first]);
    expect(ownerIn(east, "k")).toBe(first);
    clusters.cut = () => false;
    for (let i = 0; i < 600 && phaseOf(east) !== "over"; i++) busy([first]);
    expect(phaseOf(east)).toBe("over");
  });
});

describe("rows of the loser of a merge that are offered again to who took over in the winner", () => {
  it("are not let go while a copy lacks them that has not been compared yet [I6]", () => {
    const clusters = TwoClusters.formed(
      { initialNodes: 2, partitionCount: 1, backupCount: 1 },
      { initialNodes: 5, partitionCount: 1, backupCount: 2 },
    );
    const { east, west } = clusters;
    clusters.ack = "backup";
    const isAckedThere = clusters.write(east, ownerIn(east, "k"), "k", 7);
    clusters.live(500);
    expect(isAckedThere()).toBe(true);
    const owner = ownerIn(west, "k");
    const copies = west.coordinator.disk.entries.get(P)?.ruling.copies ?? [];
    const [first = A, second = A] = copies.map(({ nodeId }) => nodeId);
    const others = [...west.nodes.keys()].filter((id) => ![owner, first, second].includes(id));
    // The second copy hears of nothing, and nobody says that it is silent.
    const isKept = (from: Sender, to: Sender, { type }: ClusterMessage): boolean =>
      (type === "MIGRATE_DATA" && to === second) ||
      ((type === "STRIKE_COPY" || type === "HEARTBEAT_COMPLAINT") && from !== "coordinator");
    const lost: NodeId[] = [];
    const isLost = (id: Sender): boolean => lost.some((one) => one === id);
    west.cut = (from, to, message) =>
      isKept(from, to, message) ||
      (from !== "front" && to !== "front" && (isLost(from) || isLost(to)));
    clusters.cut = ({ cluster: of, from, to }) => isLost(of === WEST ? from : to);
    east.ask({ type: "MERGE_CLUSTER", clusterId: WEST });
    for (let i = 0; i < 100 && west.node(first).rows.count(P) === 0; i++) clusters.live(10);
    expect(west.node(first).rows.count(P)).toBe(1);
    expect(west.node(second).rows.count(P)).toBe(0);
    lost.push(owner);
    const ask = (): void => {
      for (const id of others)
        west.client(id, { type: "GET", seq: 0, keys: [{ map: "m", key: "k" }] });
    };
    for (let i = 0; i < 100 && ownerIn(west, "k") === owner; i++, clusters.live(50)) ask();
    expect(ownerIn(west, "k")).toBe(first);
    const isLetGo = (): boolean =>
      [...east.nodes.values()].every(({ rows }) => rows.count(P) === 0);
    for (let i = 0; i < 100 && !isLetGo(); i++, clusters.live(50)) ask();
    const complete = west.coordinator.disk.entries.get(P)?.ruling.copies ?? [];
    const lacking = complete.filter(
      ({ nodeId, state }) => state === "complete" && west.node(nodeId).rows.count(P) === 0,
    );
    expect([isLetGo(), lacking]).not.toEqual([true, [{ nodeId: second, state: "complete" }]]);
  });
});
