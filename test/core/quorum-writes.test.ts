/** Whatever may be said to a coordinator, one by one: what comes of it takes a quorum. */
import { describe, expect, it } from "vitest";
import { FAST } from "../../src/core/config.ts";
import type { CoordinatorSaved } from "../../src/core/coordinator/state.ts";
import { Epoch, Incarnation, NodeId, PartitionId, Term } from "../../src/data/ids.ts";
import type { ClusterMessage, Sender } from "../../src/protocol/cluster-messages.ts";
import { PROTOCOL_VERSION } from "../../src/protocol/version.ts";
import { Stage } from "../scripts/stage.ts";

type Type = ClusterMessage["type"];

/** A cluster in which this message leads to a change of the members or of the table, and who says it. */
interface Write {
  readonly from: Sender;
  readonly say: (stage: Stage) => ClusterMessage;
  /** What comes before, with a quorum. */
  readonly first?: (stage: Stage) => void;
}

const P = PartitionId(0);
const [A, B, C] = [NodeId("n1"), NodeId("n2"), NodeId("n3")];

const of =
  (message: ClusterMessage): Write["say"] =>
  () =>
    message;

/** The letter of this type that is on its way to the coordinator, which is then lost. */
function until(type: Type): Write {
  let said: ClusterMessage | undefined;
  return {
    from: A,
    first: (stage) => {
      said = undefined;
      stage.cut = (_, to, message) => {
        if (to === "coordinator" && message.type === type) said ??= message;
        return message.type === type;
      };
      stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: B });
      stage.live(1_000);
    },
    say: () => {
      if (!said) throw new Error(`no ${type} was said`);
      return said;
    },
  };
}

const move = of({ type: "MOVE_PARTITION", partitionId: P, to: B });
const begun = (stage: Stage): void => {
  stage.cut = (_, __, { type }) => type === "COMPLETE";
  stage.ask(move(stage));
  stage.live(500);
};
const epochIn = (stage: Stage): Epoch =>
  stage.coordinator.disk.entries.get(P)?.ruling.epoch ?? Epoch(0);

const joins = (stage: Stage): ClusterMessage => ({
  type: "JOIN_REQUEST",
  nodeId: C,
  host: "object-n3",
  clientPort: 0,
  clusterPort: 0,
  clusterId: stage.clusterId,
  protocolVersion: PROTOCOL_VERSION,
  incarnation: Incarnation(2),
});

/** `null`: it asks for nothing that is saved of members or table, or it is not for a coordinator. */
const WRITES: Readonly<Record<Type, Write | null>> = {
  ADD_NODES: { from: "front", say: of({ type: "ADD_NODES", count: 1, region: "", weight: 1 }) },
  LEAVE_REQUEST: { from: "front", say: of({ type: "LEAVE_REQUEST", nodeId: C }) },
  DRAIN_NODE: { from: "front", say: of({ type: "DRAIN_NODE", nodeId: A }) },
  MOVE_PARTITION: { from: "front", say: move },
  CANCEL_MOVE: { from: "front", first: begun, say: of({ type: "CANCEL_MOVE", partitionId: P }) },
  REBALANCE: {
    from: "front",
    // Moved away by hand, so that loads are not even.
    first: (stage) => {
      const [, other] = [...stage.coordinator.disk.entries.keys()];
      for (const partitionId of [P, ...(other === undefined ? [] : [other])])
        stage.ask({ type: "MOVE_PARTITION", partitionId, to: C });
      stage.live(3_000);
    },
    say: of({ type: "REBALANCE" }),
  },
  MERGE_CLUSTER: null, // what it saves is that another cluster was asked: see merge.test.ts
  JOIN_REQUEST: { from: C, say: joins },
  COMPLETE: until("COMPLETE"),
  MIGRATE_READY: until("MIGRATE_READY"),
  HEARD: {
    from: B,
    first: (stage) => {
      stage.cut = (from, _, { type }) => from === B && type === "HEARD";
      stage.ask(move(stage));
      stage.live(1_000);
    },
    say: (stage) => ({ type: "HEARD", partitionId: P, nodeId: B, epoch: epochIn(stage) }),
  },
  STRIKE_COPY: {
    from: A,
    first: begun,
    say: (stage) => {
      const at = { partitionId: P, nodeId: B, epoch: epochIn(stage) };
      return { type: "STRIKE_COPY", ...at, reason: "silent" };
    },
  },
  DROPPED: {
    from: A,
    first: (stage) => {
      stage.cut = (from, _, { type }) => from === A && type === "DROPPED";
      stage.ask(move(stage));
      stage.live(1_000);
    },
    say: (stage) => ({ type: "DROPPED", partitionId: P, nodeId: A, epoch: epochIn(stage) }),
  },
  HEARTBEAT: {
    from: NodeId("n4"),
    // It has joined, and its first heartbeat makes it active.
    first: (stage) => {
      stage.cut = (from, _, { type }) => from === "n4" && type === "HEARTBEAT";
      stage.ask({ type: "ADD_NODES", count: 1, region: "", weight: 1 });
      stage.live(1_000);
    },
    say: (stage) => ({
      type: "HEARTBEAT",
      senderId: NodeId("n4"),
      timestampMs: stage.now,
      incarnation: Incarnation(1),
      membersViewVersion: stage.coordinator.disk.view.version,
      tableVersion: stage.node(NodeId("n4")).disk.self.tableVersion,
      beat: 1_000_000,
      dormant: false,
      suspectedNodes: [],
      importing: [],
      migrating: [],
    }),
  },
  // Suspicion takes time: what comes of it is judged in failover.test.ts, "is not given up without a quorum".
  HEARTBEAT_COMPLAINT: null,
  EXPLICIT_SUSPICION: null,
  // By an operator's force, and so without a quorum.
  CLAIM_PARTITION: null,
  // Adopted is only what proves a restore, and that takes everybody: reign.test.ts.
  GRANT: null,
  CEDED: null,
  CEDE: null,
  MERGED: null,
  MERGE_STARTED: null,
  SPLIT_BRAIN_PROBE: null,
  SPLIT_BRAIN_PROBE_RESPONSE: null,
  MERGE_REQUEST: null,
  MERGE_RESPONSE: null,
  FETCH_PARTITION_TABLE: null,
  FETCH_CLUSTER: null,
  FETCH_MIGRATIONS: null,
  FETCH_NODE_STATUS: null,
  ASK_RULING: null,
  INTEREST: null,
  INTERESTED: null,
  ROWS_CHANGED: null,
  ROWS_HEARD: null,
  FETCH_ROWS: null,
  FETCHED_ROWS: null,
  NODES_ADDED: null,
  PLANNED: null,
  CLUSTER_REPORT: null,
  MIGRATIONS_REPORT: null,
  NODE_STATUS_REPORT: null,
  INVITE: null,
  JOIN_RESPONSE: null,
  MEMBERS_UPDATE: null,
  CAMPAIGN: null,
  PROBE: null,
  PARTITION_TABLE_UPDATE: null,
  RULING: null,
  MIGRATE_START: null,
  MIGRATE_FINALIZE: null,
  STRIKE: null,
  MIGRATE_DATA: null,
  STREAM_ACK: null,
  PULL_ROWS: null,
  PULLED_ROWS: null,
  ROW_OFFER: null,
  ROW_OFFER_ACK: null,
  OP_FORWARD: null,
  OP_FORWARDED: null,
  SCAN: null,
  SCANNED: null,
  DONE: null,
  REPAIR: null,
  FETCH_REPAIR: null,
  REPAIR_REPORT: null,
  COMPARE: null,
  COMPARED: null,
  CONFIRM: null,
  CONFIRMED: null,
  MIGRATE_CANCEL: null,
  ERROR: null,
};

function formed({ first }: Write): Stage {
  const stage = new Stage({ ...FAST, backupCount: 0, initialNodes: 3, partitionCount: 3 });
  stage.ask({ type: "FETCH_PARTITION_TABLE" });
  stage.live(2_000);
  first?.(stage);
  return stage;
}

const placement = ({ view, entries }: CoordinatorSaved): string =>
  JSON.stringify([view, ...entries]);

/** Is anything of it saved within a moment? Whoever says it has granted the present term. */
function isSaved(stage: Stage, { from, say }: Write, isSaid = true): boolean {
  const message = say(stage);
  const before = placement(stage.coordinator.disk);
  const { term = Term(0) } = stage.coordinator.disk.cluster ?? {};
  if (isSaid && from === "front") stage.ask(message);
  else if (isSaid)
    stage.deliver({ cluster: stage.clusterId, from, to: "coordinator", message, call: null, term });
  stage.live(FAST.maxNoHeartbeatMs + 500);
  return placement(stage.coordinator.disk) !== before;
}

/** No node hears the coordinator, or is heard. */
function cutOff(stage: Stage): void {
  stage.cut = (from, to) =>
    [from, to].includes("coordinator") && from !== "front" && to !== "front";
  stage.letters = [];
  stage.live(FAST.maxNoHeartbeatMs + 500);
}

const writes = Object.entries(WRITES).flatMap(([type, write]) => (write ? [{ type, write }] : []));

describe("quorum enforced on every placement and membership write [I9]", () => {
  it("of all messages that there are these are such", () => {
    expect(writes.map(({ type }) => type)).toHaveLength(13);
  });

  it.each(writes)("$type: saved with a quorum, and without one not", ({ write }) => {
    expect(isSaved(formed(write), write, false), "by itself").toBe(false);
    expect(isSaved(formed(write), write), "with a quorum").toBe(true);
    const stage = formed(write);
    cutOff(stage);
    stage.lines.splice(0);
    expect(isSaved(stage, write), "without one").toBe(false);
    if (write.from === "front")
      expect(stage.lines.join("\n")).toContain("operator: ERROR NO_QUORUM");
  });
});
