/** Two clusters become one: what comes late, from others, or never. */
import { describe, expect, it } from "vitest";
import { ClusterId, NodeId, Term } from "../../src/data/ids.ts";
import type { ClusterMessage } from "../../src/protocol/cluster-messages.ts";
import type { Letter, Stage } from "../scripts/stage.ts";
import { restore } from "./trio.ts";
import { EAST, mergeOf, ownedRows, ownerOf, phaseOf, TwoClusters, WEST } from "./two-clusters.ts";

const SMALL = { partitionCount: 4 };
const two = (): TwoClusters =>
  TwoClusters.formed({ initialNodes: 2, ...SMALL }, { initialNodes: 3, ...SMALL });

const merge = (clusterId: ClusterId): ClusterMessage => ({ type: "MERGE_CLUSTER", clusterId });
const NORTH = ClusterId("north");

/** From a third coordinator. */
const fromNorth = (message: ClusterMessage, call: number | null): Letter => ({
  cluster: NORTH,
  from: "coordinator",
  to: "coordinator",
  message,
  call,
  term: Term(0),
});

const report = (clusters: TwoClusters, stage: Stage): string =>
  clusters.told(stage, { type: "FETCH_CLUSTER" });

const MERGED: ClusterMessage = { type: "MERGED", sourceClusterId: EAST };

describe("what comes late or from others, while two clusters become one", () => {
  it("a request that comes again when all is over begins nothing", () => {
    const clusters = two();
    const { east, west } = clusters;
    const requests: Letter[] = [];
    const { abroad } = east;
    east.abroad = (cluster, letter, answered) => {
      if (letter.message.type === "MERGE_REQUEST") requests.push(letter);
      abroad(cluster, letter, answered);
    };
    east.ask(merge(WEST));
    expect(clusters.until(() => phaseOf(east) === "over")).toBe(true);
    clusters.live(5_000);
    const members = west.coordinator.disk.view.members.length;
    const [request] = requests;
    if (!request) throw new Error("nobody asked");
    const answers: ClusterMessage[] = [];
    west.receive(request, ({ message }) => void answers.push(message));
    clusters.live(5_000);
    expect(answers).toMatchObject([{ type: "MERGE_RESPONSE", accepted: true }]);
    expect(mergeOf(west)).toBeNull();
    expect(west.coordinator.disk.view.members.length).toBe(members);
  });

  it("only the winner says that it has everything, and only the loser says it to the winner", () => {
    const clusters = two();
    const { east, west } = clusters;
    clusters.cut = ({ message }) => message.type === "MERGED";
    east.ask(merge(WEST));
    expect(clusters.until(() => phaseOf(east) === "merged")).toBe(true);
    clusters.live(2_000);
    east.deliver(fromNorth(MERGED, null));
    west.deliver(fromNorth(MERGED, 1));
    clusters.live(2_000);
    expect([phaseOf(east), phaseOf(west)]).toEqual(["merged", "winner"]);
    clusters.cut = () => false;
    expect(clusters.until(() => phaseOf(east) === "over")).toBe(true);
    expect(mergeOf(west)).toBeNull();
  });
});

describe("a cluster that asks another one in vain", () => {
  it("gives that up, says so, and may be told to ask again", () => {
    const clusters = two();
    const { east, west } = clusters;
    west.cut = (at, to) =>
      at !== "front" && to !== "front" && (at === "coordinator") !== (to === "coordinator");
    expect(clusters.told(east, merge(WEST), 15_000)).toBe("ERROR CLUSTER_UNREACHABLE");
    expect(phaseOf(east)).toBe("asking");
    clusters.live(east.config.migrationTimeoutMs + east.config.retryMsMax);
    expect(mergeOf(east)).toBeNull();
    expect(report(clusters, east)).toContain("CLUSTER_REPORT merge failed CLUSTER_UNREACHABLE");
    clusters.live(30_000);
    for (const stage of clusters.stages) stage.lines.splice(0);
    clusters.live(600_000);
    const wakes = clusters.stages.map(
      ({ lines }) => lines.filter((line) => line.startsWith("coordinator wakes")).length,
    );
    expect(wakes).toEqual([0, 0]);
    west.cut = () => false;
    expect(clusters.told(east, merge(WEST))).toBe("MERGE_STARTED west takes east in");
    expect(clusters.until(() => phaseOf(east) === "over")).toBe(true);
    expect(mergeOf(west)).toBeNull();
  });

  it.each([
    ["the loser", EAST],
    ["the winner", WEST],
  ])("is taken in by who had accepted it, whoever is greater now, asked at %s", (_, at) => {
    const clusters = two();
    const { east, west } = clusters;
    const isAcked = clusters.write(east, ownerOf(east, "k"), "k", 7);
    clusters.live(500);
    expect(isAcked()).toBe(true);
    clusters.cut = ({ message }) => message.type === "MERGE_RESPONSE";
    east.ask(merge(WEST));
    clusters.live(east.config.migrationTimeoutMs + 2 * east.config.retryMsMax);
    expect([phaseOf(east), phaseOf(west)]).toEqual(["none", "winner"]);
    east.ask({ type: "ADD_NODES", count: 5, region: "", weight: 1 });
    clusters.live(5_000);
    expect(east.node(NodeId("n7")).disk.self.membership).toBe("member");
    clusters.cut = () => false;
    const [asked, other] = at === EAST ? [east, WEST] : [west, EAST];
    expect(clusters.told(asked, merge(other))).toBe("MERGE_STARTED west takes east in");
    expect(clusters.until(() => phaseOf(east) === "over")).toBe(true);
    expect(mergeOf(west)).toBeNull();
    expect(ownedRows(west).get("k")?.value).toEqual(Uint8Array.of(7));
  });
});

describe("a partition whose owner was lost before its coordinator heard that it was ceded", () => {
  it("is ceded once more by its backup, and what was written in either cluster since is there [I6]", () => {
    const small = { partitionCount: 1, backupCount: 1 };
    const clusters = TwoClusters.formed(
      { initialNodes: 3, ...small },
      { initialNodes: 4, ...small },
    );
    const { east, west } = clusters;
    const lost = ownerOf(east, "k");
    const write = (stage: Stage, key: string, value: number): void => {
      const isAcked = clusters.write(stage, ownerOf(stage, key), key, value);
      expect(clusters.until(isAcked)).toBe(true);
    };
    write(east, "k", 1);
    east.cut = (from, to) => from === lost && to === "coordinator";
    east.ask(merge(WEST));
    const roles = (): string[] =>
      [...east.node(lost).disk.partitions.values()].map(({ role }) => role.type);
    expect(clusters.until(() => roles().every((role) => role === "none"))).toBe(true);
    write(west, "k", 2);
    east.cut = (from, to) => from !== "front" && to !== "front" && [from, to].includes(lost);
    clusters.cut = ({ cluster, from }) => cluster === EAST && from === lost;
    const masterViewVersion = east.coordinator.disk.view.version;
    const reason = "it does not answer";
    east.ask({ type: "EXPLICIT_SUSPICION", suspectId: lost, reason, masterViewVersion });
    expect(clusters.until(() => ownerOf(east, "k") !== lost)).toBe(true);
    write(east, "j", 3);
    // It may hold rows for all that is known, so all else waits until it is given up.
    east.ask({ type: "LEAVE_REQUEST", nodeId: lost, force: true });
    expect(clusters.until(() => phaseOf(east) === "over")).toBe(true);
    const rows = ownedRows(west);
    expect(rows.get("k")?.value).toEqual(Uint8Array.of(2));
    expect(rows.get("j")?.value).toEqual(Uint8Array.of(3));
  });
});

const BACKED = { partitionCount: 4, backupCount: 1 };

/** East has one write, and no offer of a row arrives. */
function stalled(members: { readonly east: number; readonly west: number }): TwoClusters {
  const clusters = TwoClusters.formed(
    { initialNodes: members.east, ...BACKED },
    { initialNodes: members.west, ...BACKED },
  );
  const { east } = clusters;
  const isAcked = clusters.write(east, ownerOf(east, "a"), "a", 7);
  clusters.live(500);
  expect(isAcked()).toBe(true);
  clusters.cut = ({ message }) => message.type === "ROW_OFFER";
  return clusters;
}

describe("a merge into a cluster of which all members but one are drained meanwhile", () => {
  it("ends: nobody is left there who would be made a backup [I8]", () => {
    const clusters = stalled({ east: 1, west: 2 });
    const { east, west } = clusters;
    east.ask(merge(WEST));
    clusters.live(5_000);
    expect(phaseOf(east)).toBe("ceding");
    for (const nodeId of ["n2", "n3"]) west.ask({ type: "DRAIN_NODE", nodeId: NodeId(nodeId) });
    clusters.live(20_000);
    expect(phaseOf(east)).toBe("ceding");
    clusters.cut = () => false;
    expect(clusters.until(() => phaseOf(east) === "over")).toBe(true);
    expect(ownedRows(west).get("a")?.value).toEqual(Uint8Array.of(7));
  });
});

describe("the loser's coordinator, restored to before the merge was ordered,", () => {
  it.each([
    ["and a newer view", []],
    ["and no other news", ["MEMBERS_UPDATE", "CEDED"]],
  ])("hears from its nodes that they hand everything over, %s [I8]", (_, lost) => {
    const clusters = stalled({ east: 3, west: 5 });
    const { east, west } = clusters;
    const copy = east.coordinator.disk;
    east.cut = (__, ___, { type }) => lost.includes(type);
    east.ask(merge(WEST));
    expect(clusters.until(() => phaseOf(east) === "ceding")).toBe(true);
    clusters.live(1_000);
    const { self, view } = east.node(ownerOf(east, "a")).disk;
    expect(self.ceding).not.toBeNull();
    expect(view.version > copy.view.version).toBe(lost.length === 0);
    restore(east, copy);
    east.cut = () => false;
    clusters.cut = () => false;
    // Whatever is to be saved: so everybody is asked.
    east.ask({ type: "DRAIN_NODE", nodeId: NodeId("n3") });
    expect(clusters.until(() => phaseOf(east) === "over")).toBe(true);
    expect(mergeOf(west)).toBeNull();
    expect(ownedRows(west).get("a")?.value).toEqual(Uint8Array.of(7));
  });
});
