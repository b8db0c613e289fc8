/** Who may rule, and when: terms, quorum, and what a coordinator does that has lost its memory or its storage. */
import { describe, expect, it } from "vitest";
import { NodeId, PartitionId, Term } from "../../src/data/ids.ts";
import type { ClusterMessage, Sender } from "../../src/protocol/cluster-messages.ts";
import { Stage } from "../scripts/stage.ts";
import { restore } from "./trio.ts";

const P = PartitionId(0);
const N = (n: number): NodeId => NodeId(`n${n}`);

function cluster(nodes: number, partitionCount = 1): Stage {
  const stage = new Stage({ initialNodes: nodes, partitionCount });
  stage.ask({ type: "FETCH_PARTITION_TABLE" });
  stage.live(2_000);
  return stage;
}

/** Nothing passes between these and all others, but what the front asks. */
function split(stage: Stage, side: readonly Sender[]): void {
  stage.cut = (from, to) =>
    from !== "front" && to !== "front" && side.includes(from) !== side.includes(to);
}

const ownerOf = (stage: Stage, id = P): NodeId | null | undefined =>
  stage.coordinator.disk.entries.get(id)?.ruling.owner;

/** Asks, and returns what the operator was told within ten seconds. */
function told(stage: Stage, message: ClusterMessage): string {
  stage.lines.splice(0);
  stage.ask(message);
  stage.live(10_000);
  const lines = stage.lines.filter((line) => line.startsWith("  operator: "));
  return lines.join("\n").replace("  operator: ", "");
}

const move = (to: NodeId): ClusterMessage => ({ type: "MOVE_PARTITION", partitionId: P, to });
const report = (stage: Stage): string => told(stage, { type: "FETCH_CLUSTER" });

function write(stage: Stage, at: NodeId, seq: number): boolean {
  const stamp = { millis: stage.now, counter: seq, node: "client" };
  const op = { map: "m", key: "k", stamp, value: Uint8Array.of(seq), expiresAt: null };
  stage.client(at, { type: "OPS", seq, ops: [op] });
  stage.live(100);
  return stage.answers.some((answer) => answer.type === "ACK" && answer.seq === seq);
}

describe("a partitioned cluster [I9]", () => {
  it("partition {A} | {B, C} with the coordinator on the side of B and C: they go on", () => {
    const stage = cluster(3);
    const [a, b, c] = [N(3), N(1), N(2)];
    split(stage, [a]);
    stage.live(6_000);
    expect(told(stage, move(c))).toContain("PLANNED");
    expect(ownerOf(stage)).toBe(c);
    expect(write(stage, c, 1)).toBe(true);
    // A is told nothing: it can neither move a partition nor become the owner of one.
    expect(stage.node(a).disk.partitions.get(P)?.ruling.owner).toBe(b);
  });

  it("partition {A} | {B, C} with the coordinator on the side of A: nobody rules, writes go on", () => {
    const stage = cluster(3);
    split(stage, [N(1), "coordinator"]);
    stage.live(6_000);
    const { view, entries } = stage.coordinator.disk;
    expect(told(stage, move(N(2)))).toBe("ERROR NO_QUORUM");
    expect(told(stage, { type: "LEAVE_REQUEST", nodeId: N(2) })).toBe("ERROR NO_QUORUM");
    expect(told(stage, { type: "ADD_NODES", count: 1, region: "", weight: 1 })).toBe(
      "ERROR NO_QUORUM",
    );
    expect(stage.coordinator.disk.view).toBe(view);
    expect(stage.coordinator.disk.entries).toBe(entries);
    // Reads are answered, and CRDT traffic goes on.
    expect(report(stage)).toContain("CLUSTER_REPORT");
    expect(write(stage, N(1), 1)).toBe(true);
  });

  it("an even split: only the side with the coordinator goes on", () => {
    const stage = cluster(4);
    split(stage, [N(1), N(2), "coordinator"]);
    stage.live(6_000);
    expect(told(stage, move(N(2)))).toContain("PLANNED");
    expect(ownerOf(stage)).toBe(N(2));
    split(stage, [N(2), "coordinator"]);
    stage.live(6_000);
    expect(told(stage, move(N(1)))).toBe("ERROR NO_QUORUM");
  });

  it.each(["to the coordinator", "from the coordinator"])(
    "one-way cuts %s count as no answer at all",
    (way) => {
      const stage = cluster(3);
      stage.cut = (from, to) =>
        way === "to the coordinator"
          ? to === "coordinator" && from !== "front"
          : from === "coordinator" && to !== "front";
      stage.live(6_000);
      expect(told(stage, move(N(2)))).toBe("ERROR NO_QUORUM");
      expect(ownerOf(stage)).toBe(N(1));
    },
  );

  it("nodes lost one at a time: as long as a majority of all that have joined is left", () => {
    const stage = cluster(5);
    const moved: boolean[] = [];
    for (const lost of [[], [N(5)], [N(5), N(4)], [N(5), N(4), N(3)]]) {
      split(stage, lost);
      stage.live(6_000);
      const to = ownerOf(stage) === N(1) ? N(2) : N(1);
      told(stage, move(to));
      moved.push(ownerOf(stage) === to);
    }
    expect(moved).toEqual([true, true, true, false]);
  });

  it("answers of before the coordinator's clock was set back count no more [I9, sim seed 900181]", () => {
    const stage = cluster(3);
    const { maxNoHeartbeatMs } = stage.config;
    expect(told(stage, move(N(2)))).toContain("PLANNED");
    split(stage, ["coordinator"]);
    stage.live(10); // what was on its way is lost
    stage.now -= 2 * maxNoHeartbeatMs + 10_000; // ten seconds are waited for an answer
    expect(told(stage, move(N(3)))).toContain("NO_QUORUM");
    expect(ownerOf(stage)).toBe(N(2));
  });

  it("what was asked during a short cut is done when it heals, in the order in which it was asked", () => {
    const stage = cluster(3);
    split(stage, ["coordinator"]);
    stage.live(6_000);
    stage.lines.splice(0);
    stage.ask(move(N(2)));
    stage.ask({ type: "CANCEL_MOVE", partitionId: P });
    stage.live(1_000);
    expect(stage.lines.filter((line) => line.startsWith("  operator"))).toEqual([]);
    stage.cut = () => false;
    stage.live(5_000);
    expect(stage.lines.filter((line) => line.startsWith("  operator"))).toEqual([
      "  operator: PLANNED n1 to n2",
      "  operator: PLANNED",
    ]);
  });
});

describe("terms [I1]", () => {
  it("restart does not reset the term: each reign has one of its own, saved before it is spoken", () => {
    const stage = cluster(3);
    stage.live(20_000);
    const terms = [stage.coordinator.disk.cluster?.term ?? 0];
    for (const to of [N(2), N(1), N(2)]) {
      stage.coordinator.crash();
      // Its clock may have gone back meanwhile.
      stage.now -= 5_000;
      told(stage, move(to));
      expect(ownerOf(stage)).toBe(to);
      terms.push(stage.coordinator.disk.cluster?.term ?? 0);
      for (const { disk } of stage.nodes.values()) expect(disk.self.term).toBe(terms.at(-1));
    }
    expect(terms).toEqual([...new Set(terms)].toSorted((a, b) => a - b));
  });

  it("to answer reads takes no term", () => {
    const stage = cluster(3);
    const term = stage.coordinator.disk.cluster?.term;
    stage.coordinator.crash();
    expect(report(stage)).toContain("CLUSTER_REPORT");
    expect(stage.coordinator.disk.cluster?.term).toBe(term);
  });

  it("a paused leader resumes: refused, and its first commit is its last", () => {
    const stage = cluster(3);
    const said: ClusterMessage[] = [];
    const term = stage.coordinator.disk.cluster?.term ?? Term(0);
    const paused = stage.coordinator.ghost((effect) => void said.push(effect.message));
    stage.coordinator.crash();
    told(stage, move(N(2)));
    const after = stage.coordinator.disk;
    const { clusterId, term: heard } = stage.node(N(1)).disk.self;
    expect(heard).toBeGreaterThan(term);
    const head = { type: "message", clusterId, now: stage.now, random: 0.5 } as const;
    const order = { ...head, from: "front", term: Term(0), message: move(N(3)), call: 1 } as const;
    paused?.deliver(order);
    // It asks in its old term, which nobody obeys again: it steps down, and a term of its own is a commit.
    const asked = said.splice(0);
    expect(asked.map(({ type }) => type)).toEqual(["PROBE", "PROBE", "PROBE"]);
    for (const message of asked)
      stage.deliver(
        stage.again({
          cluster: stage.clusterId,
          from: "coordinator",
          to: N(1),
          message,
          call: 0,
          term,
        }),
      );
    const letters = stage.letters.splice(0).map(({ message }) => message);
    const answers = letters.filter(({ type }) => type === "ERROR");
    const refused = { error: { code: "STALE_TERM" } };
    expect(answers).toMatchObject([refused, refused, refused]);
    for (const message of answers)
      paused?.deliver({ ...head, from: N(1), term: heard, message, call: null });
    expect(said).toEqual([]);
    expect(paused?.awake).toBe(false);
    expect(stage.coordinator.disk).toBe(after);
    expect(ownerOf(stage)).toBe(N(2));
  });

  it("who hears of a higher term steps down, and its next commit needs a higher one yet", () => {
    const stage = cluster(3);
    const before = stage.coordinator.disk;
    stage.coordinator.crash();
    told(stage, move(N(2)));
    const { cluster: later } = stage.coordinator.disk;
    // The storage forgets that reign, its clock goes back, and the nodes do not forget.
    restore(stage, before);
    stage.now = 1_000;
    told(stage, { type: "MOVE_PARTITION", partitionId: P, to: N(3) });
    expect(stage.coordinator.disk.cluster?.term).toBeGreaterThan(later?.term ?? Infinity);
  });

  it("healing leaves one leader, whom everybody hears", () => {
    const stage = cluster(3);
    split(stage, [N(1), "coordinator"]);
    stage.live(6_000);
    told(stage, move(N(2)));
    stage.coordinator.crash();
    told(stage, move(N(2)));
    stage.cut = () => false;
    stage.live(15_000);
    expect(told(stage, move(N(3)))).toContain("PLANNED");
    const term = stage.coordinator.disk.cluster?.term;
    expect(ownerOf(stage)).toBe(N(3));
    for (const { disk } of stage.nodes.values()) expect(disk.self.term).toBe(term);
  });
});

describe("a coordinator whose storage was restored from a copy of earlier [I1, I4]", () => {
  function restored(): Stage {
    const stage = cluster(3);
    const copy = stage.coordinator.disk;
    told(stage, move(N(2)));
    told(stage, { type: "ADD_NODES", count: 1, nodeId: NodeId("late"), region: "", weight: 1 });
    told(stage, move(N(3)));
    expect(stage.coordinator.disk.view.members).toHaveLength(4);
    restore(stage, copy);
    return stage;
  }

  it("adopts what is higher and uses no epoch or version twice", () => {
    const stage = restored();
    const epoch = stage.node(N(3)).disk.partitions.get(P)?.ruling.epoch ?? 0;
    const { tableVersion } = stage.node(N(3)).disk.self;
    const { version } = stage.node(N(3)).disk.view;
    told(stage, move(N(2)));
    stage.live(10_000);
    const { cluster: now, view, entries } = stage.coordinator.disk;
    expect(entries.get(P)?.ruling).toMatchObject({ owner: N(2) });
    expect(entries.get(P)?.ruling.epoch).toBeGreaterThan(epoch);
    expect(now?.tableVersion).toBeGreaterThan(tableVersion);
    expect(view.members.map(({ nodeId }) => nodeId)).toContain("late");
    expect(view.version).toBeGreaterThanOrEqual(version);
    expect(stage.coordinator.disk.entries.get(P)?.holders).toEqual([N(2)]);
  });

  it("rules on nothing until every member has answered, a majority is not enough", () => {
    const stage = restored();
    const late = NodeId("late");
    split(stage, [late]);
    expect(told(stage, move(N(2)))).toBe("ERROR NO_QUORUM");
    // Nor after another restart.
    stage.coordinator.crash();
    expect(told(stage, move(N(2)))).toBe("ERROR NO_QUORUM");
    expect(ownerOf(stage)).toBe(N(3));
    stage.cut = () => false;
    expect(told(stage, move(N(2)))).toContain("PLANNED");
    expect(ownerOf(stage)).toBe(N(2));
  });
});

it("who has granted a term is not asked to grant it again, only whether it is there [I9]", () => {
  const stage = cluster(3);
  expect(stage.delivered.get("CAMPAIGN")).toBe(3);
  for (const to of [N(2), N(1)]) {
    stage.live(20_000);
    stage.delivered.clear();
    told(stage, move(to));
    expect(stage.delivered.get("CAMPAIGN")).toBeUndefined();
    expect(stage.delivered.get("PROBE")).toBe(3);
  }
});
