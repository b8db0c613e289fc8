/** What is written without a stamp, one after the other, where two nodes stamp by two clocks. */
import { expect, it } from "vitest";
import { NodeId, PartitionId, Seq } from "../../src/data/ids.ts";
import { Mail } from "../scripts/mail.ts";
import { bytesOf, textOf } from "../scripts/show.ts";
import { Stage } from "../scripts/stage.ts";

const P = PartitionId(0);
const N1 = NodeId("n1");
const N2 = NodeId("n2");
const IDENTITY = { map: "m", key: "a", kind: "lww", sub: "" } as const;

/** As the front passes on what came over HTTP; says if it is answered. */
function put(stage: Stage, at: NodeId, forwardId: number, value: string): void {
  const op = { type: "write", map: "m", key: "a", value: bytesOf(value), expiresAt: null } as const;
  stage.ask(
    {
      type: "OP_FORWARD",
      sourceNodeId: "front",
      forwardId: Seq(forwardId),
      rulings: [],
      ops: [{ ...op, stamp: null }],
    },
    at,
  );
  const asked = stage.letters.pop();
  if (asked) stage.deliver(asked);
}

const answers = (stage: Stage): string[] =>
  stage.lines.filter((line) => line.startsWith("  operator: OP_FORWARDED"));

it("a write at an old owner, after an answer of the new one, stands over it by any clock [R-later-write]", () => {
  const stage = new Stage({ initialNodes: 2, partitionCount: 1 });
  const mail = new Mail(stage);
  stage.now = 1_000_000;
  stage.ask({ type: "FETCH_PARTITION_TABLE" });
  mail.stabilize(null);
  stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: N2 });
  mail.stabilize("MIGRATE_FINALIZE");
  mail.deliver(["coordinator>n2", "MIGRATE_FINALIZE"]);
  const { maxClockSkewMs } = stage.config;
  stage.now += maxClockSkewMs;
  put(stage, N2, 1, "1");
  expect(answers(stage)).toEqual(["  operator: OP_FORWARDED stored"]);
  // The old owner has not heard, and its clock is behind.
  stage.now -= maxClockSkewMs;
  put(stage, N1, 2, "2");
  expect(answers(stage).length).toBe(1);
  stage.settle();
  expect(answers(stage).length).toBe(2);
  const [stored] = stage.node(N2).rows.read(P, [IDENTITY]);
  expect(stored?.row.value && textOf(stored.row.value)).toBe("2");
});
