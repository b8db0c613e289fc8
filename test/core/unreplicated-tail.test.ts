/** What an owner has acknowledged alone when a backup takes its place comes back with it. */
import { expect, it } from "vitest";
import { NodeId, PartitionId } from "../../src/data/ids.ts";
import { bytesOf } from "../scripts/show.ts";
import { Stage } from "../scripts/stage.ts";

const P = PartitionId(0);
const N1 = NodeId("n1");
const N2 = NodeId("n2");

function put(stage: Stage, seq: number, key: string): void {
  const stamp = { millis: stage.now, counter: seq, node: "client" };
  const op = { map: "m", key, stamp, value: bytesOf("1"), expiresAt: null };
  stage.client(N1, { type: "OPS", seq, ops: [op] });
}

it("the write that opens the stream to a backup, and never gets there, is offered by its returned owner [I6]", () => {
  const stage = new Stage({ initialNodes: 2, partitionCount: 1, backupCount: 1 });
  stage.ask({ type: "FETCH_PARTITION_TABLE" });
  stage.live(20_000);
  put(stage, 1, "a");
  stage.live(60_000);
  stage.cut = (from, to) => (from === N1) !== (to === N1);
  put(stage, 2, "b");
  expect(stage.answers.at(-1)).toMatchObject({ type: "ACK", seq: 2, exceptions: [] });
  const reason = "it does not answer";
  const masterViewVersion = stage.coordinator.disk.view.version;
  stage.ask({ type: "EXPLICIT_SUSPICION", suspectId: N1, reason, masterViewVersion });
  stage.live(60_000);
  expect(stage.coordinator.disk.entries.get(P)?.ruling.owner).toBe(N2);
  const read = (): number => stage.node(N2).rows.countFrom(P, null, 10).rows;
  expect(read()).toBe(1);
  // It hears that it is owner no more before what it had sent could come again.
  stage.cut = (from, to) => from !== "coordinator" && to !== "coordinator";
  stage.client(N1, { type: "GET", seq: 3, keys: [{ map: "m", key: "a" }] });
  stage.live(60_000);
  stage.cut = () => false;
  stage.live(60_000);
  expect(read()).toBe(2);
  expect(stage.coordinator.disk.entries.get(P)?.ruling.copies).toEqual([
    { nodeId: N1, state: "complete" },
  ]);
});
