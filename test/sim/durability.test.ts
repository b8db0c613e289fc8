/** The judge of what is acknowledged, where nodes are destroyed with all that they had. */
import { describe, expect, it } from "vitest";
import { partitionOf } from "../../src/data/hash.ts";
import { Epoch, Incarnation, MigrationId, NodeId, Seq, Version } from "../../src/data/ids.ts";
import type { Row } from "../../src/data/row.ts";
import type { Copy, Ruling } from "../../src/data/ruling.ts";
import type { Entry } from "../../src/core/coordinator/state.ts";
import type { Owner } from "../../src/core/node/state.ts";
import { draw } from "./options.ts";
import { World } from "./world.ts";

const [A, B, C] = [NodeId("n1"), NodeId("n2"), NodeId("n3")];
const SEED = 1;
const P = partitionOf("k", draw(SEED).config.partitionCount);

const row = (millis: number): Row => ({
  map: "m",
  key: "k",
  kind: "lww",
  sub: "",
  stamp: { millis, counter: 0, node: "c0" },
  value: Uint8Array.of(1),
  expiresAt: null,
});

/** Some epoch of the partition, of which only what is given is not as in a quiet cluster. */
function entry(epoch: number, owner: NodeId, backups: readonly NodeId[], holders: NodeId[]): Entry {
  const copies = backups.map((nodeId): Copy => ({ nodeId, state: "complete" }));
  const plan = { wanted: owner, wantedBackups: backups, lost: null, move: null, again: null };
  const ruling = { partitionId: P, epoch: Epoch(epoch), owner, since: Epoch(epoch), copies };
  return { ...plan, ruling, version: Version(epoch), holders };
}

const SOMEBODY = {
  host: "",
  clientPort: 0,
  clusterPort: 0,
  region: "",
  weight: 1,
  state: "active",
  joinVersion: Version(0),
  incarnation: Incarnation(0),
} as const;

class Scene {
  readonly world = new World(SEED);

  constructor() {
    for (const id of [A, B, C]) this.world.node(id);
  }

  get judge(): World["checkers"]["durability"] {
    return this.world.checkers.durability;
  }

  rule(ruled: Entry): void {
    const { coordinator } = this.world;
    const members = [A, B, C].map((nodeId) => ({ ...SOMEBODY, nodeId }));
    const view = { version: Version(1), members };
    coordinator.disk = { ...coordinator.disk, view, entries: new Map([[P, ruled]]) };
  }

  /** Its owner has heard of it. */
  own(id: NodeId, ruling: Ruling, move: Owner["move"] = null): void {
    const node = this.world.node(id);
    const role = { type: "owner", copies: [], move } as const;
    const partitions = new Map(node.disk.partitions).set(P, { ruling, role });
    node.disk = { ...node.disk, partitions };
  }

  /** Its copy has, and of nothing later. */
  hear(id: NodeId, ruling: Ruling): void {
    const node = this.world.node(id);
    const at = ruling.owner ?? id;
    const role = { type: "copy", state: "complete", at, cut: Seq(0), foreign: false } as const;
    const partitions = new Map(node.disk.partitions).set(P, { ruling, role });
    node.disk = { ...node.disk, partitions };
  }

  /** By the word of an operator. */
  force(before: Entry, after: Entry): void {
    this.rule(after);
    this.judge.failedOver(before, after, true);
    this.judge.struck(after);
  }

  store(at: NodeId, stored: Row): void {
    this.world.node(at).rows.write(P, [{ row: stored, seq: Seq(1) }]);
  }

  destroy(id: NodeId): void {
    this.judge.bury(id);
    this.world.graves.set(id, this.world.node(id));
    this.world.nodes.delete(id);
  }
}

describe("a write whose owner is destroyed", () => {
  it("before anybody is told is lost with it, also where nothing of its key was acknowledged [I6, sim seed 160203]", () => {
    const scene = new Scene();
    scene.rule(entry(1, A, [], [A, B]));
    scene.store(A, row(5));
    scene.destroy(A);
    scene.judge.stored(row(5));
    scene.judge.afterStep();
    expect(scene.world.counts["writes lost with a node"]).toBe(1);
  });

  it("while it is waited for is lost with it, also where somebody had offered it and is to hear so [I6, sim seed 1295002]", () => {
    const scene = new Scene();
    const before = entry(1, A, [], [A, B]);
    const ruling = { ...before.ruling, epoch: Epoch(2), owner: null };
    for (const id of [A, B]) scene.store(id, row(5));
    scene.rule({ ...before, ruling, lost: A });
    scene.judge.stored(row(5));
    scene.destroy(A);
    scene.world.node(B).rows.drop(P);
    scene.judge.afterStep();
    expect(scene.world.counts["writes lost with a node"]).toBe(1);
  });

  it("is missed where another one is waited for, who has it no more [I6]", () => {
    const scene = new Scene();
    const before = entry(1, B, [], [A, B]);
    const ruling = { ...before.ruling, epoch: Epoch(2), owner: null };
    for (const id of [A, B]) scene.store(id, row(5));
    scene.rule({ ...before, ruling, lost: B });
    scene.judge.stored(row(5));
    scene.destroy(A);
    scene.world.node(B).rows.drop(P);
    expect(() => scene.judge.afterStep()).toThrow("nobody listed holds k=1@5:0:c0");
  });

  it("is missed where it is newer than what that node had [I6]", () => {
    const scene = new Scene();
    scene.rule(entry(1, A, [], [A, B]));
    scene.store(A, row(5));
    scene.destroy(A);
    scene.judge.stored(row(6));
    expect(() => scene.judge.afterStep()).toThrow("nobody listed holds k=1@6:0:c0");
  });

  it("is missed where a copy that was complete has it no more [I6]", () => {
    const scene = new Scene();
    scene.rule(entry(1, A, [B], [A, B]));
    for (const id of [A, B]) scene.store(id, row(5));
    scene.destroy(A);
    scene.judge.stored(row(5));
    scene.judge.afterStep();
    scene.world.node(B).rows.drop(P);
    expect(() => scene.judge.afterStep()).toThrow("nobody listed holds k=1@5:0:c0");
  });
});

describe("a write whose owner is destroyed, beside a node that has not heard yet that it was struck", () => {
  const [backedUp, alone] = [entry(1, A, [B], [A, B]), entry(2, A, [], [A, B])];
  const struck = { ...alone, ruling: { ...alone.ruling, since: Epoch(1) } };

  /** B has all, and drops that when it hears of the second ruling: so does its owner have it. */
  function unheard(): Scene {
    const scene = new Scene();
    for (const id of [A, B]) scene.store(id, row(5));
    scene.hear(B, backedUp.ruling);
    scene.rule(struck);
    scene.judge.struck(struck);
    return scene;
  }

  it("is lost with it, whoever is told so later, also where that one is given the partition [I6, sim seed 1156503]", () => {
    const scene = unheard();
    scene.destroy(A);
    scene.force(struck, entry(3, B, [], [B]));
    scene.judge.stored(row(5));
    scene.world.node(B).rows.drop(P);
    scene.judge.afterStep();
    expect(scene.world.counts["writes lost with a node"]).toBe(1);
  });

  it("is lost with it also where that one was given the partition before [I6]", () => {
    const scene = unheard();
    scene.judge.stored(row(5));
    scene.force(struck, entry(3, B, [], [A, B]));
    scene.judge.afterStep();
    scene.destroy(A);
    scene.world.node(B).rows.drop(P);
    scene.judge.afterStep();
    expect(scene.world.counts["writes lost with a node"]).toBe(1);
  });

  it("is lost with it also where somebody else was given the partition before [I6]", () => {
    const scene = unheard();
    scene.judge.stored(row(5));
    scene.force(struck, entry(3, C, [], [A, B, C]));
    scene.judge.afterStep();
    scene.destroy(A);
    scene.world.node(B).rows.drop(P);
    scene.judge.afterStep();
    expect(scene.world.counts["writes lost with a node"]).toBe(1);
  });

  it("is missed where that one has heard that it was given the partition [I6]", () => {
    const scene = unheard();
    scene.destroy(A);
    const taken = entry(3, B, [], [B]);
    scene.force(struck, taken);
    scene.own(B, taken.ruling);
    scene.judge.stored(row(5));
    scene.judge.afterStep();
    scene.world.node(B).rows.drop(P);
    expect(() => scene.judge.afterStep()).toThrow("nobody listed holds k=1@5:0:c0");
  });

  /** It was a copy until then. */
  function forcedFromCopy(by: NodeId, holders: NodeId[]): Scene {
    const scene = new Scene();
    for (const id of [A, B]) scene.store(id, row(5));
    scene.hear(B, backedUp.ruling);
    scene.judge.stored(row(5));
    scene.force(backedUp, entry(2, by, [], holders));
    scene.judge.afterStep();
    scene.destroy(A);
    scene.judge.afterStep();
    scene.world.node(B).rows.drop(P);
    return scene;
  }

  it("is missed where that one was a copy until it was given the partition [I6]", () => {
    const scene = forcedFromCopy(B, [A, B]);
    expect(() => scene.judge.afterStep()).toThrow("nobody listed holds k=1@5:0:c0");
  });

  it("is missed where that one was a copy until somebody else was given the partition [I6]", () => {
    const scene = forcedFromCopy(C, [A, B, C]);
    expect(() => scene.judge.afterStep()).toThrow("nobody listed holds k=1@5:0:c0");
  });
});

describe("a write to a partition that is given by force to a node that has heard nothing of it yet", () => {
  const given = entry(3, B, [], [A, B]);

  function listing(state: Copy["state"]): Entry {
    const { ruling, ...rest } = entry(1, A, [], [A, B]);
    return { ...rest, ruling: { ...ruling, copies: [{ nodeId: B, state }] } };
  }

  function forcedFrom(ruled: Entry): Scene {
    const scene = new Scene();
    scene.rule(ruled);
    scene.judge.struck(ruled);
    scene.store(A, row(5));
    scene.judge.stored(row(5));
    scene.force(ruled, given);
    return scene;
  }

  /** What the owner of then had sent it comes first, and it has dropped that before it is owner. */
  function hearLate(scene: Scene, { ruling }: Entry): void {
    scene.store(B, row(5));
    scene.hear(B, ruling);
    scene.judge.afterStep();
    scene.world.node(B).rows.drop(P);
    scene.own(B, given.ruling);
    scene.judge.afterStep();
  }

  it("is not missed there when that one hears late that it was struck before [I14, sim seed 1182161]", () => {
    const scene = forcedFrom(entry(2, A, [], [A, B]));
    hearLate(scene, listing("complete"));
    scene.store(B, row(5));
    scene.judge.afterStep();
    scene.world.node(B).rows.drop(P);
    expect(() => scene.judge.afterStep()).toThrow("owner n2 lacks k=1@5:0:c0");
  });

  it("is missed there when that one drops it although nobody had struck it [I14]", () => {
    const scene = forcedFrom(listing("copying"));
    expect(() => hearLate(scene, listing("copying"))).toThrow("owner n2 lacks k=1@5:0:c0");
  });
});

describe("a write that was lost with its owner, and of which its client hears after a newer one was taken elsewhere", () => {
  const [moving, moved] = [entry(2, B, [C], [B, C]), entry(3, C, [B], [B, C])];
  const ready = { migrationId: MigrationId("m1"), to: C, phase: "ready" } as const;

  /** The newer one is at these, of whom the first is owner. */
  function takenBy(move: Owner["move"], ...ids: readonly NodeId[]): Scene {
    const scene = new Scene();
    scene.rule(entry(1, A, [], [A]));
    scene.store(A, row(5));
    scene.destroy(A);
    scene.rule(moving);
    scene.own(B, moving.ruling, move);
    scene.hear(C, moving.ruling);
    for (const id of ids) scene.store(id, row(6));
    return scene;
  }

  function switchOwner(scene: Scene): void {
    scene.rule(moved);
    scene.judge.moved(P, C);
    scene.hear(B, moved.ruling);
    scene.own(C, moved.ruling);
  }

  it("is missed at no target of a move whose source has told nobody of the newer one [I14, sim seed 1205348]", () => {
    const scene = takenBy(ready, B);
    switchOwner(scene);
    scene.judge.stored(row(5));
    scene.judge.afterStep();
    expect(scene.world.counts["writes lost with a node"]).toBe(1);
  });

  it("is missed there neither if its client hears of it before the ruling [I5]", () => {
    const scene = takenBy(ready, B);
    scene.judge.stored(row(5));
    switchOwner(scene);
    scene.judge.afterStep();
    expect(scene.world.counts["writes lost with a node"]).toBe(1);
  });

  it("is missed there if the target had the newer one when its client heard [I5]", () => {
    const scene = takenBy(ready, B, C);
    scene.judge.stored(row(5));
    scene.world.node(C).rows.drop(P);
    expect(() => switchOwner(scene)).toThrow("target n3 lacks k=1@5:0:c0");
  });

  it("is missed at an owner that has the newer one while no move closes [I14]", () => {
    const scene = takenBy({ ...ready, phase: "copying" }, B);
    scene.judge.stored(row(5));
    scene.judge.afterStep();
    scene.store(C, row(6));
    scene.world.node(B).rows.drop(P);
    expect(() => scene.judge.afterStep()).toThrow("owner n2 lacks k=1@5:0:c0");
  });
});

describe("a write that is acknowledged as backed up", () => {
  function claimed(by: NodeId): Scene {
    const scene = new Scene();
    const [old, lost, taken] = [
      entry(1, A, [B], [A, B]),
      { ...entry(2, A, [], [A, B]), lost: A },
      entry(3, by, [], [A, B, by]),
    ];
    const nobodys = { ...lost, ruling: { ...lost.ruling, owner: null } };
    for (const [before, after] of [
      [old, nobodys],
      [nobodys, taken],
    ] as const) {
      scene.rule(after);
      scene.judge.failedOver(before, after);
    }
    return scene;
  }

  it("is missed at no node to which the operator gave the partition, if somebody offers it [I6, sim seed 160165]", () => {
    const scene = claimed(C);
    for (const id of [A, B]) scene.store(id, row(5));
    scene.judge.stored(row(5));
    scene.judge.backedUp(row(5));
    scene.judge.afterStep();
    expect(scene.world.counts["backed up rows given up by force"]).toBe(1);
  });

  it("is missed there neither if those who had it were destroyed, however late its client hears of it [I6, sim seed 1024964]", () => {
    const scene = claimed(C);
    for (const id of [A, B]) scene.store(id, row(5));
    for (const id of [A, B]) scene.destroy(id);
    const last = entry(3, C, [], [C]);
    scene.rule(last);
    scene.own(C, last.ruling);
    scene.judge.stored(row(5));
    scene.judge.afterStep();
    scene.judge.backedUp(row(5));
    expect(scene.world.counts["backed up rows given up by force"]).toBe(1);
    expect(() => scene.judge.backedUp(row(6))).toThrow("copy n3 lacks k=1@6:0:c0");
  });

  it("is missed there if nobody of before has it [I6]", () => {
    const scene = claimed(C);
    scene.store(A, row(5));
    expect(() => scene.judge.backedUp(row(6))).toThrow("copy n3 lacks k=1@6:0:c0");
  });

  it("is missed at a successor that nobody forced [I6]", () => {
    const scene = new Scene();
    const [before, after] = [entry(1, A, [B], [A, B]), entry(2, B, [], [A, B])];
    scene.rule(after);
    scene.judge.failedOver(before, after);
    scene.store(A, row(5));
    expect(() => scene.judge.backedUp(row(5))).toThrow("copy n2 lacks k=1@5:0:c0");
  });
});
