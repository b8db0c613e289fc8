/** What members are told of the view and the table, where answers take their time. */
import { expect, it } from "vitest";
import { NodeId, PartitionId } from "../../src/data/ids.ts";
import type { ClusterMessage } from "../../src/protocol/cluster-messages.ts";
import { Stage } from "../scripts/stage.ts";

const JOINS_AND_LEAVES = 10;
const NEWS = ["MEMBERS_UPDATE", "PARTITION_TABLE_UPDATE"] as const;

/** Whatever is longest on its way comes last: what was sent together does not arrive together. */
const LATEST_FIRST = -1;

it.each(NEWS)("at most one %s is on its way to a member [I8]", (news) => {
  const stage = new Stage({ initialNodes: 3, partitionCount: 32 });
  stage.ask({ type: "FETCH_PARTITION_TABLE" });
  stage.settle();
  stage.delivered.clear();
  let most = 0;
  const deliver = (count: number): void => {
    for (const letter of stage.letters.splice(LATEST_FIRST * count)) {
      stage.deliver(letter);
      for (const { nodeId } of stage.coordinator.disk.view.members) {
        const sent = stage.letters.filter((l) => l.to === nodeId && l.message.type === news);
        most = Math.max(most, sent.length);
      }
    }
  };
  for (let i = 1; i <= JOINS_AND_LEAVES; i++) {
    stage.ask({ type: "ADD_NODES", count: 1, region: "", weight: 1 });
    stage.ask({ type: "LEAVE_REQUEST", nodeId: NodeId(`n${i}`) });
    deliver(10);
  }
  while (stage.letters.length > 0) deliver(3);
  stage.settle();
  expect(stage.coordinator.disk.view.members.filter((m) => m.state !== "active")).toEqual([]);
  expect(stage.delivered.get(news)).toBeGreaterThan(JOINS_AND_LEAVES);
  expect(most).toBe(1);
});

it("a table update is made once for all members that have heard as much", () => {
  const stage = new Stage({ initialNodes: 3, partitionCount: 32 });
  stage.ask({ type: "FETCH_PARTITION_TABLE" });
  stage.settle();
  stage.ask({ type: "MOVE_PARTITION", partitionId: PartitionId(0), to: NodeId("n2") });
  const updates: ClusterMessage[] = [];
  for (let letter = stage.letters.shift(); letter; letter = stage.letters.shift()) {
    if (letter.message.type !== "PARTITION_TABLE_UPDATE") stage.deliver(letter);
    else updates.push(letter.message);
  }
  expect(updates).toHaveLength(3);
  expect(new Set(updates).size).toBe(1);
});
