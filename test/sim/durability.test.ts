/** The judge of what is acknowledged, where nodes are destroyed with all that they had. */
import { describe, expect, it } from "vitest";
import { partitionOf } from "../../src/data/hash.ts";
import { Epoch, NodeId, Seq, Version } from "../../src/data/ids.ts";
import type { Row } from "../../src/data/row.ts";
import type { Copy } from "../../src/data/ruling.ts";
import type { Entry } from "../../src/core/coordinator/state.ts";
import { draw } from "./options.ts";
import { World } from "./world.ts";

const [A, B] = [NodeId("n1"), NodeId("n2")];
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
  const ruling = { partitionId: P, epoch: Epoch(epoch), owner, copies };
  return { ...plan, ruling, version: Version(epoch), holders };
}

class Scene {
  readonly world = new World(SEED);

  get judge(): World["checkers"]["durability"] {
    return this.world.checkers.durability;
  }

  rule(ruled: Entry): void {
    const { coordinator } = this.world;
    coordinator.disk = { ...coordinator.disk, entries: new Map([[P, ruled]]) };
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
