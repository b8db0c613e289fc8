/** Deletions and expired entries past the retention are removed, and nothing that was deleted comes back for it. */
import { describe, expect, it } from "vitest";
import { compareIdentity, type Row } from "../../src/data/row.ts";
import { Epoch, NodeId, PartitionId, Seq } from "../../src/data/ids.ts";
import type { ClusterMessage, Sender } from "../../src/protocol/cluster-messages.ts";
import { bytesOf, textOf } from "../scripts/show.ts";
import { Stage } from "../scripts/stage.ts";
import { A, B, C, cluster, isAcked, ownerOf, put, silence, work } from "./trio.ts";

const P = PartitionId(0);
const [N1, N2, N3] = [NodeId("n1"), NodeId("n2"), NodeId("n3")];

/** With the time that a write may be on its way it is 23 s until a deletion is forgotten. */
const SETTINGS = {
  partitionCount: 1,
  backupCount: 1,
  tombstoneRetentionMs: 10_000,
  forwardTimeoutMs: 6_000,
};
const LONG_MS = 40_000;

class Grid {
  readonly stage: Stage;
  /** How many rows have travelled to copies to be removed there. */
  collected = 0;
  #seq = 0;

  constructor(nodes: number) {
    this.stage = new Stage({ ...SETTINGS, initialNodes: nodes });
    this.stage.ask({ type: "FETCH_PARTITION_TABLE" });
    this.stage.live(20_000);
    this.cutOff(() => false);
  }

  cutOff(isCut: (from: Sender, to: Sender, message: ClusterMessage) => boolean): void {
    this.stage.cut = (from, to, message) => {
      const lost = isCut(from, to, message);
      if (!lost && message.type === "MIGRATE_DATA") this.collected += message.collect?.length ?? 0;
      return lost;
    };
  }

  alone(...ids: readonly NodeId[]): void {
    const isOne = (id: Sender): boolean => ids.some((other) => other === id);
    this.cutOff((from, to) => isOne(from) !== isOne(to));
  }

  put(at: NodeId, key: string, value: string | null, expiresAt: number | null = null): void {
    const seq = ++this.#seq;
    const stamp = { millis: this.stage.now, counter: seq, node: "client" };
    const op = { map: "m", key, stamp, value: value === null ? null : bytesOf(value), expiresAt };
    this.stage.client(at, { type: "OPS", seq, ops: [op] });
    expect(this.stage.answers.at(-1)).toMatchObject({ type: "ACK", seq, exceptions: [] });
  }

  /** Awake all the while. */
  traffic(at: NodeId, ms: number): void {
    for (const end = this.stage.now + ms; this.stage.now < end;) {
      this.put(at, "traffic", "1");
      this.stage.live(500);
    }
  }

  rows(at: NodeId): Row[] {
    const { rows } = this.stage.node(at).rows.page(P, null, { rowsMax: 1_000, bytesMax: 1e6 });
    return rows.map(({ row }) => row);
  }

  shown(at: NodeId): string[] {
    const all = this.rows(at).filter(({ key }) => key !== "traffic");
    return all.map(({ key, value }) => `${key}=${value ? textOf(value) : "deleted"}`);
  }

  get owner(): NodeId | null | undefined {
    return this.stage.coordinator.disk.entries.get(P)?.ruling.owner;
  }

  get holders(): readonly NodeId[] {
    return this.stage.coordinator.disk.entries.get(P)?.holders ?? [];
  }
}

describe("what is deleted or expired for longer than the retention", () => {
  it("is removed at the owner and at its copy, and what is younger stays", () => {
    const grid = new Grid(2);
    grid.put(N1, "kept", "1");
    for (const key of ["a", "b", "c"]) grid.put(N1, key, "1");
    for (const key of ["a", "b"]) grid.put(N1, key, null);
    grid.put(N1, "c", "2", grid.stage.now + 1_000);
    grid.put(N1, "d", "1", grid.stage.now + LONG_MS);
    grid.traffic(N1, LONG_MS - 2_000);
    grid.put(N1, "young", null);
    grid.traffic(N1, 2_000);
    expect(grid.shown(N1)).toEqual(["d=1", "kept=1", "young=deleted"]);
    expect(grid.rows(N2)).toEqual(grid.rows(N1));
    expect(grid.collected).toBe(3);
  });

  it("costs nothing where there is nothing: no message, no row, and no alarm", () => {
    const grid = new Grid(2);
    grid.put(N1, "kept", "1");
    grid.traffic(N1, LONG_MS);
    const before = grid.stage.node(N1).rows.usage().rowsWritten;
    const asked = grid.stage.delivered.get("CONFIRM") ?? 0;
    grid.traffic(N1, LONG_MS);
    expect(grid.stage.node(N1).rows.usage().rowsWritten - before).toBe(LONG_MS / 500);
    expect((grid.stage.delivered.get("CONFIRM") ?? 0) - asked).toBe(0);
    grid.stage.settle();
    expect(grid.stage.node(N1).armed).toBeNull();
  });

  it("wakes nobody: what is due in its sleep goes when a node is next awake for a while", () => {
    const grid = new Grid(2);
    grid.put(N1, "a", null);
    grid.stage.settle();
    expect(grid.stage.node(N1).armed).toBeNull();
    grid.stage.live(10 * LONG_MS);
    expect(grid.shown(N1)).toEqual(["a=deleted"]);
    // Its memory does not outlive so long a sleep, and a moment's visit is not worth a look.
    grid.stage.node(N1).crash();
    grid.put(N1, "kept", "1");
    grid.stage.live(1_000);
    expect(grid.shown(N1)).toEqual(["a=deleted", "kept=1"]);
    grid.traffic(N1, 15_000);
    expect(grid.shown(N1)).toEqual(["kept=1"]);
    expect(grid.rows(N2)).toEqual(grid.rows(N1));
  });

  it("stays as long as a node is listed that may hold what was deleted [I14]", () => {
    const grid = new Grid(3);
    grid.put(N1, "a", "1");
    grid.traffic(N1, 2_000);
    const [backup] = grid.holders.filter((id) => id !== N1);
    grid.alone(backup ?? N2);
    grid.traffic(N1, 20_000);
    const later = grid.holders.filter((id) => id !== N1 && id !== backup);
    expect(later).toHaveLength(1);
    grid.put(N1, "a", null);
    grid.traffic(N1, 2 * LONG_MS);
    expect(grid.holders).toContain(backup);
    expect(grid.shown(N1)).toEqual(["a=deleted"]);
    expect(grid.shown(backup ?? N2)).toEqual(["a=1"]);
    grid.cutOff(() => false);
    grid.traffic(N1, LONG_MS);
    expect(grid.holders).not.toContain(backup);
    for (const id of [N1, N2, N3]) expect(grid.shown(id), id).toEqual([]);
  });

  it("stays as long as a copy has not acknowledged it [I14]", () => {
    const grid = new Grid(2);
    grid.put(N1, "a", "1");
    grid.traffic(N1, 2_000);
    grid.cutOff((from, to, { type }) => from === N1 && to === N2 && type === "MIGRATE_DATA");
    grid.put(N1, "a", null);
    grid.traffic(N1, LONG_MS);
    expect(grid.holders).toEqual([N1, N2]);
    expect(grid.shown(N2)).toEqual(["a=1"]);
    expect(grid.shown(N1)).toEqual(["a=deleted"]);
    grid.cutOff(() => false);
    grid.traffic(N1, LONG_MS);
    expect(grid.shown(N1)).toEqual([]);
    expect(grid.shown(N2)).toEqual([]);
  });

  it("is compared where the copy may not have heard that it is removed", () => {
    const grid = new Grid(2);
    for (const key of ["a", "b"]) grid.put(N1, key, null);
    grid.traffic(N1, 2_000);
    grid.cutOff((from, to, message) => message.type === "MIGRATE_DATA" && !!message.collect);
    for (let i = 0; i < 100 && grid.shown(N1).length > 0; i++) grid.traffic(N1, 500);
    expect(grid.shown(N1)).toEqual([]);
    expect(grid.shown(N2)).toEqual(["a=deleted", "b=deleted"]);
    grid.stage.node(N1).crash();
    grid.cutOff(() => false);
    grid.put(N1, "kept", "1");
    grid.stage.live(5_000);
    expect(grid.rows(N1).toSorted(compareIdentity)).toEqual(grid.rows(N2));
    grid.traffic(N1, LONG_MS);
    expect(grid.shown(N1)).toEqual(["kept=1"]);
    expect(grid.rows(N2)).toEqual(grid.rows(N1));
  });
});

describe("a node evicted by force", () => {
  it("brings back what it took since, and nothing older than the retention [I14]", () => {
    const grid = new Grid(3);
    grid.put(N1, "kept", "1");
    grid.traffic(N1, 2_000);
    grid.alone(N1);
    grid.put(N1, "a", "1");
    grid.stage.ask({ type: "LEAVE_REQUEST", nodeId: N1, force: true });
    grid.stage.live(5_000);
    const { owner } = grid;
    if (!owner || owner === N1) throw new Error("nobody took its place");
    grid.put(owner, "a", null);
    grid.traffic(owner, 2 * LONG_MS);
    expect(grid.shown(owner)).toEqual(["kept=1"]);
    expect(grid.shown(N1)).toEqual(["a=1", "kept=1"]);
    grid.put(N1, "b", "2");
    grid.cutOff(() => false);
    grid.put(N1, "c", "3");
    grid.traffic(owner, LONG_MS);
    expect(grid.shown(N1)).toEqual([]);
    expect(grid.shown(owner)).toEqual(["b=2", "c=3", "kept=1"]);
  });
});

describe("an offer of rows older than the retention", () => {
  const old = { map: "m", key: "a", kind: "lww", sub: "", expiresAt: null } as const;
  const row: Row = { ...old, stamp: { millis: 2_000, counter: 0, node: "c" }, value: bytesOf("1") };

  /** As it comes late: of a ruling `by` older than the present one, or newer. */
  function offered(by: number, collects: boolean): { accepted: unknown; shown: string[] } {
    const grid = new Grid(2);
    if (collects) grid.put(N1, "gone", null);
    grid.traffic(N1, LONG_MS);
    const ruling = grid.stage.coordinator.disk.entries.get(P)?.ruling;
    if (!ruling) throw new Error("nothing is ruled");
    const said = { ...ruling, epoch: Epoch(ruling.epoch + by) };
    const offer = { type: "ROW_OFFER", partitionId: P, offerId: Seq(9), ruling: said } as const;
    const facts = { cluster: grid.stage.clusterId, from: N2, to: N1, call: 1e6 } as const;
    const { term } = grid.stage.node(N2).disk.self;
    const answers: ClusterMessage[] = [];
    grid.stage.receive({ ...facts, term, message: { ...offer, rows: [row] } }, ({ message }) => {
      answers.push(message);
    });
    grid.stage.live(10);
    const [answer] = answers;
    const accepted = answer?.type === "ROW_OFFER_ACK" ? answer.accepted : answer;
    return { accepted, shown: grid.shown(N1) };
  }

  it("is taken of a struck node that knows the ruling that stands", () => {
    expect(offered(0, false)).toEqual({ accepted: true, shown: ["a=1"] });
  });

  it("is to be made again by one that knows only an older ruling", () => {
    expect(offered(-1, false)).toEqual({ accepted: false, shown: [] });
  });

  it("is late where deletions were forgotten under that ruling: nothing of it is taken", () => {
    expect(offered(0, true)).toEqual({ accepted: true, shown: [] });
  });
});

describe("a write that a lost owner has held for longer than deletions are kept", () => {
  it("is not passed on to its successor, and who sent it hears that nothing is known of it [I14, sim seed 510565]", () => {
    const stage = cluster({ ...SETTINGS, retryMsMax: 1_000 });
    silence(stage, [A]);
    const old = put(stage, A, "old", 1, "backup");
    work(stage, SETTINGS.tombstoneRetentionMs + 1_000, [A, B, C]);
    expect(ownerOf(stage)).not.toBe(A);
    const young = put(stage, A, "young", 1, "backup");
    stage.lines.splice(0);
    silence(stage, []);
    work(stage, 2_000);
    expect(isAcked(stage, young)).toBe(true);
    expect(stage.lines.filter((line) => line.includes("OP_FORWARD old"))).toEqual([]);
    const ack = stage.answers.find((answer) => answer.type === "ACK" && answer.seq === old);
    const result = { error: { code: "OWNER_UNREACHABLE" } };
    expect(ack).toMatchObject({ exceptions: [{ result }] });
  });
});
