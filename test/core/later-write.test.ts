/** What is written without a stamp, one after the other, where two nodes stamp by two clocks. */
import { expect, it } from "vitest";
import { compareStamps } from "../../src/data/hlc.ts";
import { NodeId, PartitionId, Seq } from "../../src/data/ids.ts";
import { Mail } from "../scripts/mail.ts";
import { bytesOf, textOf } from "../scripts/show.ts";
import { Stage } from "../scripts/stage.ts";

const P = PartitionId(0);
const N1 = NodeId("n1");
const N2 = NodeId("n2");
const IDENTITY = { map: "m", key: "a", kind: "lww", sub: "" } as const;

/** One request, as the front passes on what came over HTTP. */
function put(stage: Stage, at: NodeId, forwardId: number, ...values: string[]): void {
  const op = { type: "write", map: "m", key: "a", expiresAt: null, stamp: null } as const;
  stage.ask(
    {
      type: "OP_FORWARD",
      sourceNodeId: "front",
      forwardId: Seq(forwardId),
      rulings: [],
      ops: values.map((value) => ({ ...op, value: bytesOf(value) })),
    },
    at,
  );
  const asked = stage.letters.pop();
  if (asked) stage.deliver(asked);
}

const answers = (stage: Stage): string[] =>
  stage.lines.filter((line) => line.startsWith("  operator: OP_FORWARDED"));

/** The partition has moved from n1 to n2, of which n1 has not heard. */
function moved(): Stage {
  const stage = new Stage({ initialNodes: 2, partitionCount: 1 });
  const mail = new Mail(stage);
  stage.now = 1_000_000;
  stage.ask({ type: "FETCH_PARTITION_TABLE" });
  mail.stabilize(null);
  stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: N2 });
  mail.stabilize("MIGRATE_FINALIZE");
  mail.deliver(["coordinator>n2", "MIGRATE_FINALIZE"]);
  return stage;
}

function read(stage: Stage): string | undefined {
  const [stored] = stage.node(N2).rows.read(P, [IDENTITY]);
  return stored?.row.value ? textOf(stored.row.value) : undefined;
}

it("a write at an old owner, after an answer of the new one, stands over it by any clock [R-later-write]", () => {
  const stage = moved();
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
  expect(read(stage)).toBe("2");
});

it("of two writes in one request the second stands, also where both are passed on [R-later-write, sim seed 900080]", () => {
  const stage = moved();
  put(stage, N1, 1, "1", "2");
  stage.settle();
  expect(answers(stage)).toEqual(["  operator: OP_FORWARDED superseded, stored"]);
  expect(read(stage)).toBe("2");
});

it("and so it does where the owner has stored something between the two [R-later-write]", () => {
  const stage = moved();
  const mail = new Mail(stage);
  put(stage, N1, 1, "1", "2");
  expect(mail.drop(["n1>n2", "MIGRATE_DATA"]).length).toBe(1);
  mail.stabilize("OP_FORWARD");
  const [first, second] = stage.letters.flatMap(({ message }) =>
    message.type === "OP_FORWARD" ? message.ops.map((op) => ("stamp" in op ? op.stamp : null)) : [],
  );
  if (!first || !second) throw new Error("they are not passed on with stamps");
  const stamp = { ...first, node: `${first.node}x` };
  expect(compareStamps(second, stamp)).toBe(1);
  const between = { map: "m", key: "a", value: bytesOf("between"), expiresAt: null, stamp };
  stage.client(N2, { type: "OPS", seq: 1, ops: [between] });
  stage.settle();
  expect(answers(stage)).toEqual(["  operator: OP_FORWARDED superseded, stored"]);
  expect(read(stage)).toBe("2");
});
