/** What is late says nothing, whoever says it and of what. */
import { describe, expect, it } from "vitest";
import { DEFAULTS } from "../../src/core/config.ts";
import { stepNode } from "../../src/core/node/node.ts";
import { wake, type NodeSaved } from "../../src/core/node/state.ts";
import { Epoch, NodeId, PartitionId, Seq, Term, Version } from "../../src/data/ids.ts";
import type { ClusterMessage } from "../../src/protocol/cluster-messages.ts";
import { Stage } from "../scripts/stage.ts";

const P = PartitionId(0);
const [A, B] = [NodeId("n1"), NodeId("n2")];

/** The partition has gone to n2 and come back. */
function formed(): Stage {
  const stage = new Stage({ initialNodes: 2, partitionCount: 1 });
  stage.ask({ type: "FETCH_PARTITION_TABLE" });
  stage.settle();
  for (const to of [B, A]) {
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to });
    stage.settle();
  }
  return stage;
}

/** What n1 has saved when the coordinator has said this in its present term. */
function told(stage: Stage, message: ClusterMessage, term?: Term): NodeSaved {
  const { disk } = stage.node(A);
  const { clusterId, term: known } = disk.self;
  const head = { type: "message", clusterId, from: "coordinator", call: 1 } as const;
  const said = { ...head, term: term ?? known, message, now: stage.now, random: 0.5 };
  return stepNode(wake(DEFAULTS, disk), said)[0].saved;
}

describe("no older state over a newer one:", () => {
  it.each([-1, 0, 1])("a view, by its version %i", (by) => {
    const stage = formed();
    const { view } = stage.node(A).disk;
    const other = {
      ...view,
      version: Version(view.version + by),
      members: view.members.slice(0, 1),
    };
    const after = told(stage, { type: "MEMBERS_UPDATE", view: other, clusterTimeMs: 0 });
    expect(after.view.members).toEqual(by > 0 ? other.members : view.members);
  });

  it.each([-1, 0, 1])("a ruling, by its epoch %i", (by) => {
    const stage = formed();
    const known = stage.node(A).disk.partitions.get(P)?.ruling;
    const epoch = Epoch((known?.epoch ?? 0) + by);
    const ruling = { partitionId: P, epoch, owner: B, since: epoch, copies: [] };
    const version = Version(stage.node(A).disk.self.tableVersion + 1);
    const facts = { version, baseVersion: Version(0), partitionCount: 1, completedMigrations: [] };
    for (const message of [
      { type: "STRIKE", ruling },
      { type: "RULING", ruling },
      { type: "PARTITION_TABLE_UPDATE", assignments: [ruling], ...facts },
    ] satisfies ClusterMessage[]) {
      const { ruling: after, role } = told(stage, message).partitions.get(P) ?? {};
      expect(after?.owner, message.type).toBe(by > 0 ? B : A);
      if (by <= 0) expect(role?.type).toBe("owner");
    }
  });

  it.each([-1, 0, 1])("a table, by its version %i", (by) => {
    const stage = formed();
    const { tableVersion } = stage.node(A).disk.self;
    const version = Version(tableVersion + by);
    const facts = { baseVersion: Version(0), partitionCount: 1, completedMigrations: [] };
    const update = { type: "PARTITION_TABLE_UPDATE", assignments: [], version, ...facts } as const;
    expect(told(stage, update).self.tableVersion).toBe(Math.max(tableVersion, version));
  });

  it("a term: what is said in an older one changes nothing", () => {
    const stage = formed();
    const { self, view } = stage.node(A).disk;
    const other = { ...view, version: Version(view.version + 1), members: [] };
    const message = { type: "MEMBERS_UPDATE", view: other, clusterTimeMs: 0 } as const;
    expect(told(stage, message, Term(self.term - 1)).view).toBe(view);
    expect(told(stage, message).view).toEqual(other);
  });

  it("a row, by its stamp, whichever comes last", () => {
    const stage = formed();
    const at = { map: "m", key: "k", expiresAt: null } as const;
    for (const [seq, millis] of [900, 700, 950, 800].entries()) {
      const stamp = { millis, counter: 0, node: "client" };
      const op = { ...at, stamp, value: Uint8Array.of(seq) };
      stage.client(A, { type: "OPS", seq, ops: [op] });
    }
    const [stored] = stage.node(A).rows.read(P, [{ map: "m", key: "k", kind: "lww", sub: "" }]);
    expect(stored?.row).toMatchObject({ stamp: { millis: 950 }, value: Uint8Array.of(2) });
    expect(stored?.seq).toBeGreaterThan(Seq(0));
  });
});
