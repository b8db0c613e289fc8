/** Members come and go: what is planned of it, and what is asked meanwhile. */
import { describe, expect, it } from "vitest";
import { NodeId, PartitionId } from "../../src/data/ids.ts";
import type { ClusterMessage } from "../../src/protocol/cluster-messages.ts";
import { makeError } from "../../src/protocol/errors.ts";
import { Stage } from "../scripts/stage.ts";

const P = PartitionId(0);
const N = (n: number): NodeId => NodeId(`n${n}`);

function cluster(nodes: number, partitionCount: number): Stage {
  const stage = new Stage({ initialNodes: nodes, partitionCount, maxParallelMigrations: 1 });
  stage.ask({ type: "FETCH_PARTITION_TABLE" });
  stage.settle();
  return stage;
}

function loads({ coordinator }: Stage): readonly (readonly [string, number])[] {
  const owned = Map.groupBy(coordinator.disk.entries.values(), ({ ruling }) => `${ruling.owner}`);
  return [...owned]
    .map(([id, entries]) => [id, entries.length] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** What the operator was told at once. */
function told(stage: Stage, message: ClusterMessage): string {
  stage.lines.splice(0);
  stage.ask(message);
  const asked = stage.letters.pop();
  if (asked) stage.deliver(asked);
  return stage.lines.find((line) => line.startsWith("  operator: ")) ?? "";
}

const grow: ClusterMessage = { type: "ADD_NODES", count: 1, region: "", weight: 1 };
const shrink = (nodeId: NodeId): ClusterMessage => ({ type: "LEAVE_REQUEST", nodeId });
const started = ({ coordinator }: Stage): number =>
  [...coordinator.disk.entries.values()].filter(({ move }) => move !== null).length;

describe("a cluster that changes its size", () => {
  it("a membership change triggers the rebalance: nobody asks for one", () => {
    const stage = cluster(2, 12);
    expect(loads(stage)).toEqual([["n1", 6], ["n2", 6]]); // prettier-ignore
    told(stage, grow);
    stage.settle();
    expect(loads(stage)).toEqual([["n1", 4], ["n2", 4], ["n3", 4]]); // prettier-ignore
    told(stage, shrink(N(1)));
    stage.settle();
    expect(loads(stage)).toEqual([["n2", 6], ["n3", 6]]); // prettier-ignore
    expect(stage.delivered.get("REBALANCE")).toBeUndefined();
  });

  it("concurrent resize is queued: growing and shrinking are accepted while moves run, and all of it is done", () => {
    const stage = cluster(2, 12);
    told(stage, grow);
    while (started(stage) === 0) stage.deliver(stage.letters.shift() ?? never());
    expect(told(stage, grow)).toContain("NODES_ADDED");
    expect(told(stage, shrink(N(1)))).toContain("PLANNED");
    const wanted = [...stage.coordinator.disk.entries.values()].filter(
      ({ wanted: to, ruling }) => to !== ruling.owner,
    );
    expect(started(stage), "the rest waits for a free place").toBeLessThan(wanted.length);
    expect(stage.coordinator.disk.cluster).toMatchObject({ completed: 0 });
    stage.settle();
    expect(loads(stage)).toEqual([["n2", 4], ["n3", 4], ["n4", 4]]); // prettier-ignore
    expect(stage.coordinator.disk.view.members.map(({ nodeId }) => nodeId)).toEqual([
      "n2",
      "n3",
      "n4",
    ]);
  });

  it("the same partition is refused while it moves, to be asked again later", () => {
    const stage = cluster(3, 1);
    expect(told(stage, { type: "MOVE_PARTITION", partitionId: P, to: N(2) })).toContain("PLANNED");
    const again = { type: "MOVE_PARTITION", partitionId: P, to: N(3) } as const;
    expect(told(stage, again)).toContain("ERROR MIGRATION_IN_PROGRESS");
    expect(makeError("MIGRATION_IN_PROGRESS", { partitionId: P }).retry).toBe("later");
    stage.settle();
    expect(loads(stage)).toEqual([["n2", 1]]);
    expect(told(stage, again)).toContain("PLANNED");
    stage.settle();
    expect(loads(stage)).toEqual([["n3", 1]]);
  });
});

function never(): never {
  throw new Error("nothing is on its way");
}
