import { describe, expect, it } from "vitest";
import { NO_FLOW } from "../../../src/core/node/flow.ts";
import { stepNode } from "../../../src/core/node/node.ts";
import { partitionOf } from "../../../src/data/hash.ts";
import { NodeId, PartitionId, Version } from "../../../src/data/ids.ts";
import { Stage } from "../../scripts/stage.ts";

const P = PartitionId(0);
const [A, B] = [NodeId("n1"), NodeId("n2")];

describe("who writes where the partition is not", () => {
  it("is told so: NOT_OWNER carries the current PartitionMapPayload", () => {
    const stage = new Stage({ initialNodes: 2, partitionCount: 1 });
    stage.ask({ type: "FETCH_PARTITION_TABLE" });
    stage.settle();
    const versions = { mapVersion: stage.node(A).disk.self.tableVersion, viewVersion: Version(0) };
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: B });
    stage.settle();
    const stamp = { millis: stage.now, counter: 0, node: "client" };
    const op = { map: "m", key: "k", stamp, value: Uint8Array.of(1), expiresAt: null };
    const message = { type: "OPS", seq: 7, ops: [op] } as const;
    const session = { clientId: "client", forward: false, ...versions };
    const frames = [{ socket: "s", session, flow: NO_FLOW, message }];
    const moment = { now: stage.now, random: 0.5 };
    stage.client(A, { type: "GET", seq: 1, keys: [] }); // wakes it
    const [, said] = stepNode(stage.node(A).load(), { type: "frames", frames, ...moment });
    const notices = said.flatMap((effect) =>
      effect.type === "push" && effect.message.type === "NOT_OWNER" ? [effect.message] : [],
    );
    const { cluster, view } = stage.coordinator.disk;
    expect(cluster?.tableVersion).toBeGreaterThan(versions.mapVersion);
    expect(notices).toMatchObject([
      {
        seq: 7,
        applied: false,
        map: {
          version: cluster?.tableVersion,
          partitionCount: 1,
          nodes: view.members.map(({ nodeId }) => ({ nodeId, status: "ACTIVE" })),
          partitions: [{ partitionId: P, ownerNodeId: B, backupNodeIds: [] }],
        },
      },
    ]);
  });

  it("is told so of each command for an actor, too, all in one answer", () => {
    const stage = new Stage({ initialNodes: 2, partitionCount: 2 });
    stage.ask({ type: "FETCH_PARTITION_TABLE" });
    stage.settle();
    const theirs = ["a", "b", "c"].filter((key) => {
      const { owner } = stage.coordinator.disk.entries.get(partitionOf(key, 2))?.ruling ?? {};
      return owner === B;
    });
    expect(theirs.length, "not vacuous").toBeGreaterThan(0);
    const command = Uint8Array.of(1);
    const calls = theirs.map((key) => {
      return { map: "counter", key, commandId: `c.${key}`, expectedVersion: null, command };
    });
    const session = {
      clientId: "client",
      forward: false,
      mapVersion: Version(0),
      viewVersion: Version(0),
    };
    const message = { type: "CALL", seq: 7, calls } as const;
    const frames = [{ socket: "s", session, flow: NO_FLOW, message }];
    stage.client(A, { type: "GET", seq: 1, keys: [] }); // wakes it
    const moment = { now: stage.now, random: 0.5 };
    const [, said] = stepNode(stage.node(A).load(), { type: "frames", frames, ...moment });
    const pushed = said.flatMap((effect) => (effect.type === "push" ? [effect.message] : []));
    expect(pushed).toMatchObject([
      { type: "NOT_OWNER", seq: 7, applied: false, indexes: [...calls.keys()] },
      {
        type: "REPLIES",
        seq: 7,
        replies: calls.map(() => ({ type: "refused", error: { code: "NOT_OWNER" } })),
      },
    ]);
  });
});
