/** Two clusters become one: who may, who wins, and that every row of both is there afterwards. */
import { describe, expect, it } from "vitest";
import { NodeId, PartitionId, Term, Version, type ClusterId } from "../../src/data/ids.ts";
import type { ClusterMessage } from "../../src/protocol/cluster-messages.ts";
import { partitionOf } from "../../src/data/hash.ts";
import { showMessage } from "../scripts/show.ts";
import type { Letter, Stage } from "../scripts/stage.ts";
import {
  EAST,
  mergeOf,
  ownedRows,
  ownerOf,
  phaseOf,
  rowsLeft,
  TwoClusters,
  WEST,
} from "./two-clusters.ts";

const N = (n: number): NodeId => NodeId(`n${n}`);
const merge = (clusterId: ClusterId): ClusterMessage => ({ type: "MERGE_CLUSTER", clusterId });
/** Rows go in chunks of a few, so that a partition takes several. */
const SMALL = { partitionCount: 8, chunkRowsMax: 3 };
const two = (east: number, west: number): TwoClusters =>
  TwoClusters.formed({ initialNodes: east, ...SMALL }, { initialNodes: west, ...SMALL });

const KEYS = Array.from({ length: 30 }, (_, i) => `k${i}`);

/** Of both, some keys in each alone, some in both, some deleted in either. */
function fill(clusters: TwoClusters): void {
  const { east, west } = clusters;
  const acks = KEYS.flatMap((key, i) => [
    ...(i % 3 === 0 ? [] : [clusters.write(east, ownerOf(east, key), key, i)]),
    ...(i % 3 === 1 ? [] : [clusters.write(west, ownerOf(west, key), key, 100 + i)]),
  ]);
  clusters.live(50);
  acks.push(
    clusters.write(east, ownerOf(east, "k2"), "k2", null),
    clusters.write(west, ownerOf(west, "k5"), "k5", null),
    clusters.write(east, ownerOf(east, "only-deleted"), "only-deleted", null),
  );
  clusters.live(500);
  expect(acks.every((isAcked) => isAcked())).toBe(true);
}

/** Everything acknowledged is at the winner's owners by the order of stamps, and nothing else is anywhere. */
function allIsThere(clusters: TwoClusters, winner: Stage, loser: Stage): void {
  const rows = ownedRows(winner);
  for (const [key, { value }] of clusters.newest())
    expect(rows.get(key)?.value ?? null, key).toEqual(value);
  // Tombstones are rows.
  for (const key of clusters.acked.keys()) expect(rows.has(key), key).toBe(true);
  expect(rowsLeft(loser)).toBe(0);
}

describe("two clusters become one", () => {
  it.each([
    ["asked at the loser", EAST],
    ["asked at the winner", WEST],
  ])("every row of both is there afterwards, tombstones too: %s", (_, at) => {
    const clusters = two(2, 3);
    const { east, west } = clusters;
    fill(clusters);
    const [asked, other] = at === EAST ? [east, WEST] : [west, EAST];
    expect(clusters.told(asked, merge(other))).toBe("MERGE_STARTED west takes east in");
    expect(clusters.until(() => phaseOf(east) === "over")).toBe(true);
    expect(mergeOf(west)).toBeNull();
    allIsThere(clusters, west, east);
    // As many nodes more as the loser had, which share the partitions.
    const { view, entries } = west.coordinator.disk;
    expect(view.members.map(({ nodeId, state }) => `${nodeId} ${state}`)).toEqual(
      ["n1", "n2", "n3", "n4", "n5"].map((id) => `${id} active`),
    );
    clusters.live(20_000);
    expect(new Set([...entries.values()].map(({ wanted }) => wanted)).size).toBe(5);
  });

  it("of two that are equal in all but their names, the lower name wins", () => {
    const clusters = two(2, 2);
    fill(clusters);
    expect(clusters.told(clusters.east, merge(WEST))).toBe("MERGE_STARTED east takes west in");
    expect(clusters.until(() => phaseOf(clusters.west) === "over")).toBe(true);
    allIsThere(clusters, clusters.east, clusters.west);
  });

  it("writes acknowledged meanwhile in either are there, and are read where they were written", () => {
    const clusters = two(2, 3);
    const { east, west } = clusters;
    fill(clusters);
    clusters.latencyMs = 30;
    east.ask(merge(WEST));
    const acks: (() => boolean)[] = [];
    const phases = new Set<string>();
    for (let n = 0; phaseOf(east) !== "merged" && n < 300; n++) {
      phases.add(phaseOf(east));
      const key = `k${n % 40}`;
      acks.push(clusters.write(east, N(1 + (n % 2)), key, n % 251));
      acks.push(clusters.write(west, N(1 + (n % 3)), key, (n + 7) % 251));
      // Nobody writes these again: each is where it was written, or lost.
      for (let i = 0; i < 6; i++)
        acks.push(clusters.write(east, N(1 + (i % 2)), `once${n}.${i}`, i));
      clusters.live(10);
      if (n % 5 > 0) continue;
      // Of two writers the later one is read, wherever the row is by now.
      const own = `own${n}`;
      const isAcked = clusters.write(east, N(1), own, n % 251);
      expect(clusters.until(isAcked, 2_000)).toBe(true);
      expect(clusters.read(east, N(2), own)).toBe(n % 251);
    }
    expect(phases).toContain("ceding");
    expect(clusters.until(() => phaseOf(east) === "over")).toBe(true);
    clusters.live(2_000);
    expect(acks.filter((isAcked) => !isAcked())).toEqual([]);
    allIsThere(clusters, west, east);
  });
});

describe("what a backup has acknowledged", () => {
  it("is let go when a backup of the winner has it [I6]", () => {
    const backed = { partitionCount: 1, backupCount: 1 };
    const clusters = TwoClusters.formed(
      { initialNodes: 2, ...backed },
      { initialNodes: 3, ...backed },
    );
    const { east, west } = clusters;
    clusters.ack = "backup";
    const isAcked = clusters.write(east, ownerOf(east, "k"), "k", 7);
    clusters.live(500);
    expect(isAcked()).toBe(true);
    west.cut = (_, __, { type }) => type === "MIGRATE_DATA" || type === "STRIKE_COPY";
    east.ask(merge(WEST));
    clusters.live(3_000);
    const lost = ownerOf(west, "k");
    expect(west.node(lost).rows.count(PartitionId(0))).toBe(1);
    expect(phaseOf(east)).toBe("ceding");
    const isOfLost = ({ cluster, from, to }: Letter): boolean =>
      cluster === WEST ? from === lost : to === lost;
    clusters.cut = isOfLost;
    west.cut = (at, to) => [at, to].includes(lost);
    const others = [...west.nodes.keys()].filter((id) => id !== lost);
    for (let n = 0; ownerOf(west, "k") === lost && n < 200; n++, clusters.live(100))
      for (const id of others) clusters.write(west, id, "other", n);
    expect(clusters.until(() => phaseOf(east) === "over")).toBe(true);
    expect(clusters.read(west, ownerOf(west, "k"), "k")).toBe(7);
  });
});

describe("what a backup has acknowledged, where the winner's backup is struck meanwhile,", () => {
  /** East has one write at two nodes, and west, which takes it in, one owner and one backup. */
  function ceding(): TwoClusters {
    const backed = { partitionCount: 1, backupCount: 1 };
    const clusters = TwoClusters.formed(
      { initialNodes: 2, ...backed },
      { initialNodes: 3, ...backed },
    );
    const { east, west } = clusters;
    clusters.ack = "backup";
    const isAcked = clusters.write(east, ownerOf(east, "k"), "k", 7);
    clusters.live(500);
    expect(isAcked()).toBe(true);
    west.cut = (_, __, { type }) => type === "MIGRATE_DATA";
    east.ask(merge(WEST));
    return clusters;
  }

  const copiesIn = (stage: Stage) =>
    stage.coordinator.disk.entries.get(PartitionId(0))?.ruling.copies ?? [];
  const isBackedUp = (stage: Stage): boolean =>
    copiesIn(stage).some(({ state }) => state === "complete");

  it("is kept until there is another one [I6]", () => {
    const clusters = ceding();
    const { east, west } = clusters;
    expect(clusters.until(() => !isBackedUp(west))).toBe(true);
    clusters.live(5_000);
    const lost = ownerOf(west, "k");
    expect([west.node(lost).rows.count(PartitionId(0)), isBackedUp(west)]).toEqual([1, false]);
    expect(rowsLeft(east)).toBeGreaterThan(0);
    west.cut = () => false;
    expect(clusters.until(() => phaseOf(east) === "over")).toBe(true);
    west.cut = (at, to) => [at, to].includes(lost);
    const others = [...west.nodes.keys()].filter((id) => id !== lost);
    for (let n = 0; ownerOf(west, "k") === lost && n < 200; n++, clusters.live(100))
      for (const id of others) clusters.write(west, id, "other", n);
    expect(clusters.read(west, ownerOf(west, "k"), "k")).toBe(7);
  });

  it("is let go when nobody is left there who could back it up [I8]", () => {
    const clusters = ceding();
    const { east, west } = clusters;
    expect(clusters.until(() => !isBackedUp(west))).toBe(true);
    const owner = ownerOf(west, "k");
    west.cut = (_, to, { type }) =>
      type === "MIGRATE_DATA" || (to !== owner && to !== "coordinator" && to !== "front");
    for (const nodeId of west.nodes.keys())
      if (nodeId !== owner) west.ask({ type: "LEAVE_REQUEST", nodeId, force: true });
    expect(clusters.until(() => phaseOf(east) === "over")).toBe(true);
    expect(clusters.read(west, owner, "k")).toBe(7);
  });
});

describe("an operation on what is the winner's by now", () => {
  it("reads wait until the last rows are there", () => {
    const clusters = two(1, 1);
    const { east, west } = clusters;
    const last = Array.from({ length: 99 }, (_, i) => `last${i}`).find(
      (key) => partitionOf(key, 8) === partitionOf("k", 8),
    );
    if (last === undefined) throw new Error("no such key");
    const isAcked = clusters.write(west, N(1), "k", 7);
    clusters.live(100);
    expect(isAcked()).toBe(true);
    // West loses: the pass ends, the row of the last moment is lost on its way.
    clusters.cut = ({ message }) =>
      message.type === "ROW_OFFER" && message.rows.some(({ key }) => key === last);
    let lastIsAcked = (): boolean => false;
    const abroad = west.abroad;
    west.abroad = (cluster, letter, answered) => {
      if (letter.message.type === "ROW_OFFER" && !lastIsAcked())
        lastIsAcked = clusters.write(west, N(1), last, 9);
      abroad(cluster, letter, answered);
    };
    west.ask(merge(EAST));
    expect(clusters.until(() => lastIsAcked())).toBe(true);
    clusters.live(300);
    expect(west.node(N(1)).rows.count(PartitionId(partitionOf(last, 8)))).toBe(2);
    const reads = (): readonly string[] =>
      west.answers.flatMap((one) => (one.type === "VALUES" && one.seq === 99 ? ["answered"] : []));
    west.client(N(1), { type: "GET", seq: 99, keys: [{ map: "m", key: last }] });
    clusters.live(300);
    expect(reads()).toEqual([]);
    clusters.cut = () => false;
    expect(clusters.until(() => reads().length > 0)).toBe(true);
    const answer = west.answers.find((one) => one.type === "VALUES" && one.seq === 99);
    expect(answer).toMatchObject({ values: [{ type: "value", value: Uint8Array.of(9) }] });
    expect(clusters.until(() => phaseOf(west) === "over")).toBe(true);
    allIsThere(clusters, east, west);
  });

  it("a silent node of the winner makes nobody of that name suspect", () => {
    // Copies would stay until their owner's word has come.
    const alone = { ...SMALL, backupCount: 0 };
    const clusters = TwoClusters.formed(
      { initialNodes: 2, ...alone },
      { initialNodes: 3, ...alone },
    );
    const { east } = clusters;
    fill(clusters);
    clusters.cut = ({ message }) => message.type === "CEDED" || message.type === "OP_FORWARDED";
    east.cut = (_, __, { type }) => type === "CEDED";
    east.ask(merge(WEST));
    expect(clusters.until(() => rowsLeft(east) === 0)).toBe(true);
    // Each relays to owners that are called as they themselves are, and hears no answer.
    const complaints = east.delivered.get("HEARTBEAT_COMPLAINT") ?? 0;
    for (const key of KEYS) clusters.write(east, ownerOf(east, key), key, 1);
    clusters.live(2 * east.config.maxNoHeartbeatMs);
    expect((east.delivered.get("HEARTBEAT_COMPLAINT") ?? 0) - complaints).toBe(0);
  });
});

describe("two clusters that do not become one", () => {
  it("with different partition counts", () => {
    const clusters = TwoClusters.formed(
      { initialNodes: 2, partitionCount: 8 },
      { initialNodes: 2, partitionCount: 16 },
    );
    const { east, west } = clusters;
    fill(clusters);
    expect(clusters.told(east, merge(WEST))).toBe("ERROR PARTITION_COUNTS_DIFFER");
    expect(clusters.told(west, merge(EAST))).toBe("ERROR PARTITION_COUNTS_DIFFER");
    clusters.live(5_000);
    expect([mergeOf(east), mergeOf(west)]).toEqual([null, null]);
  });

  it("itself, one that nobody ever asked for, one that still forms, one that is silent", () => {
    const clusters = new TwoClusters({ initialNodes: 2, partitionCount: 8 }, { partitionCount: 8 });
    const { east, west } = clusters;
    east.ask({ type: "FETCH_PARTITION_TABLE" });
    clusters.live(3_000);
    expect(clusters.told(east, merge(EAST))).toBe("ERROR MERGE_WITH_ITSELF");
    expect(clusters.told(east, merge(WEST))).toBe("ERROR CLUSTER_NOT_FOUND");
    expect(west.coordinator.disk.cluster).toBeNull();
    west.cut = (from, to, { type }) => type === "JOIN_REQUEST";
    west.ask({ type: "FETCH_PARTITION_TABLE" });
    clusters.live(100);
    expect(clusters.told(east, merge(WEST))).toBe("ERROR CLUSTER_FORMING");
    clusters.cut = () => true;
    expect(clusters.told(east, merge(WEST), 15_000)).toBe("ERROR CLUSTER_UNREACHABLE");
    expect(mergeOf(east)).toBeNull();
  });

  it("if both come to believe that they lose, each refuses the other, and nothing has happened", () => {
    const clusters = two(2, 2);
    const { east, west } = clusters;
    fill(clusters);
    // Each is shown the other as it was with many more members.
    for (const [one, other] of [[east, west] as const, [west, east] as const])
      one.deliver(
        from(other, {
          type: "SPLIT_BRAIN_PROBE",
          receiverClusterId: one.clusterId,
          senderClusterId: other.clusterId,
          senderMasterId: N(1),
          senderMemberCount: 99,
          senderViewVersion: Version(1),
          senderMasterJoinVersion: Version(1),
          partitionCount: 8,
        }),
      );
    expect([phaseOf(east), phaseOf(west)]).toEqual(["asking", "asking"]);
    clusters.live(5_000);
    expect([mergeOf(east), mergeOf(west)]).toEqual([null, null]);
    expect(rowsLeft(east)).toBeGreaterThan(0);
    expect(rowsLeft(west)).toBeGreaterThan(0);
  });

  it("a refusal of an earlier request says nothing of the present one", () => {
    const clusters = two(2, 3);
    const { east } = clusters;
    clusters.cut = ({ message }) => message.type === "MERGE_RESPONSE";
    east.ask(merge(WEST));
    expect(clusters.until(() => phaseOf(east) === "asking")).toBe(true);
    const asked = mergeOf(east);
    const viewVersion = asked?.side === "loser" ? asked.viewVersion : Version(0);
    const response = (sourceViewVersion: Version): ClusterMessage => ({
      type: "MERGE_RESPONSE",
      responderClusterId: WEST,
      sourceViewVersion,
      accepted: false,
    });
    east.deliver({ ...from(clusters.west, response(Version(viewVersion - 1))), call: null });
    expect(phaseOf(east)).toBe("asking");
    expect(phaseOf(clusters.west)).toBe("winner");
    clusters.cut = () => false;
    expect(clusters.until(() => phaseOf(east) === "over")).toBe(true);
  });

  it("a node takes rows and operations of no cluster that its coordinator has not taken in", () => {
    const clusters = two(2, 3);
    const { east, west } = clusters;
    fill(clusters);
    const owner = ownerOf(west, "k1");
    const before = rowsLeft(west);
    const ops = [{ type: "write", map: "m", key: "k1", stamp: null, value: null, expiresAt: null }];
    const message = { type: "OP_FORWARD", sourceNodeId: N(1), forwardId: 1, rulings: [], ops };
    const answers: string[] = [];
    west.receive({ ...from(east, message as never), from: N(1), to: owner }, (answer) => {
      answers.push(showMessage(answer.message));
    });
    clusters.live(100);
    expect(answers).toEqual(["ERROR WRONG_CLUSTER_ID"]);
    expect(rowsLeft(west)).toBe(before);
  });

  it("without a quorum at either, and nobody has begun [I9]", () => {
    for (const silent of [EAST, WEST]) {
      const clusters = two(2, 3);
      for (const stage of clusters.stages)
        if (stage.clusterId === silent)
          stage.cut = (at, to) =>
            at !== "front" && (at === "coordinator") !== (to === "coordinator");
      clusters.live(3_000);
      const told = clusters.told(clusters.east, merge(WEST), 15_000);
      expect(told).toBe(`ERROR ${silent === EAST ? "NO_QUORUM" : "CLUSTER_UNREACHABLE"}`);
      expect(rowsLeft(clusters.east)).toBe(0);
      expect(phaseOf(clusters.west)).toBe("none");
      expect(phaseOf(clusters.east)).not.toBe("ceding");
    }
  });
});

const from = (stage: Stage, message: ClusterMessage): Letter => ({
  cluster: stage.clusterId,
  from: "coordinator",
  to: "coordinator",
  message,
  call: 1,
  term: Term(0),
});
