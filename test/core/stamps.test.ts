/** Stamps that a node makes: none twice, and none behind what it has seen, whatever its clock does. */
import { describe, expect, it } from "vitest";
import { compareStamps, type Stamp } from "../../src/data/hlc.ts";
import { NodeId, PartitionId, Seq } from "../../src/data/ids.ts";
import type { Stage } from "../scripts/stage.ts";
import { pair } from "./pair.ts";

const P = PartitionId(0);

describe("a stamp", () => {
  const at = { map: "m", key: "k", kind: "lww", sub: "" } as const;
  const entry = { map: "m", key: "k", expiresAt: null } as const;
  const isNewer = (one?: Stamp, other?: Stamp): boolean =>
    one !== undefined && other !== undefined && compareStamps(one, other) > 0;

  it("an owner stamps above every row that it was given, however fast a clock those had [I6]", () => {
    const stage = pair();
    const [n1, n2] = [NodeId("n1"), NodeId("n2")];
    const fast = { millis: stage.now + 50_000, counter: 3, node: "client" };
    const op = { ...entry, stamp: fast, value: Uint8Array.of(1) };
    stage.client(n1, { type: "OPS", seq: 1, ops: [op] });
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: n2 });
    stage.settle();
    const ops = [{ type: "write", ...entry, stamp: null, value: null }] as const;
    const forward = { type: "OP_FORWARD", sourceNodeId: "front", forwardId: Seq(1) } as const;
    stage.ask({ ...forward, rulings: [], ops }, n2);
    stage.settle();
    const [stored] = stage.node(n2).rows.read(P, [at]);
    expect(stored?.row.value).toBeNull();
    expect(stored?.row.stamp.millis).toBe(fast.millis);
  });

  it("a node that lost its memory stamps other keys, too, above all that it stamped before [I6]", () => {
    const stage = pair();
    const n1 = NodeId("n1");
    const fast = { millis: stage.now + 50_000, counter: 3, node: "client" };
    stage.client(n1, { type: "OPS", seq: 1, ops: [{ ...entry, stamp: fast, value: null }] });
    const forward = { type: "OP_FORWARD", sourceNodeId: "front", rulings: [] } as const;
    const stamps = ["a", "b"].map((key, i) => {
      const ops = [{ type: "write", ...entry, key, stamp: null, value: null }] as const;
      stage.ask({ ...forward, forwardId: Seq(i + 1), ops }, n1);
      stage.settle();
      stage.node(n1).crash();
      return stage.node(n1).rows.read(P, [{ ...at, key }])[0]?.row.stamp;
    });
    const [before, after] = stamps;
    expect(before && isNewer(before, { ...fast, node: before.node })).toBe(true);
    expect(isNewer(after, before)).toBe(true);
  });

  it("a node that restarts within one millisecond makes no stamp again that it made in it [I6]", () => {
    const stage = pair();
    const n1 = NodeId("n1");
    const forward = { type: "OP_FORWARD", sourceNodeId: "front", rulings: [] } as const;
    const { now } = stage;
    const stamps = ["a", "b", "c"].map((key, i) => {
      const ops = [{ type: "write", ...entry, key, stamp: null, value: null }] as const;
      stage.ask({ ...forward, forwardId: Seq(i + 1), ops }, n1);
      stage.settle();
      stage.node(n1).crash();
      stage.now = now;
      return stage.node(n1).rows.read(P, [{ ...at, key }])[0]?.row.stamp;
    });
    const [first, second, third] = stamps;
    expect(isNewer(second, first)).toBe(true);
    expect(isNewer(third, second)).toBe(true);
  });

  it("an owner that lost its memory stamps above all that it stamped before [I6, sim seed 11]", () => {
    const stage = pair();
    const n1 = NodeId("n1");
    // A clock less than a second ahead, too, and within one millisecond.
    const fast = { millis: stage.now + 900, counter: 3, node: "client" };
    const op = { ...entry, stamp: fast, value: Uint8Array.of(1) };
    stage.client(n1, { type: "OPS", seq: 1, ops: [op] });
    for (const value of [9, 8, 7, 6]) {
      stage.node(n1).crash();
      const ops = [{ type: "write", ...entry, stamp: null, value: Uint8Array.of(value) }] as const;
      const forward = { type: "OP_FORWARD", sourceNodeId: "front", forwardId: Seq(1) } as const;
      stage.ask({ ...forward, rulings: [], ops }, n1);
      stage.settle();
      const [stored] = stage.node(n1).rows.read(P, [at]);
      expect(stored?.row.value).toEqual(Uint8Array.of(value));
    }
  });

  it.each([0, 1, 5, 500])(
    "an owner whose clock went back by %i ms over a restart stamps again what came out behind [I6]",
    (back) => {
      const stage = pair();
      const n1 = NodeId("n1");
      for (const value of [9, 8]) {
        const op = { type: "write", ...entry, stamp: null, value: Uint8Array.of(value) } as const;
        const forward = { type: "OP_FORWARD", sourceNodeId: "front", forwardId: Seq(1) } as const;
        stage.ask({ ...forward, rulings: [], ops: [op] }, n1);
        stage.settle();
        const [stored] = stage.node(n1).rows.read(P, [at]);
        expect(stored?.row.value).toEqual(Uint8Array.of(value));
        stage.node(n1).crash();
        stage.now -= back;
      }
    },
  );

  describe("of a node whose clock went back over a restart, and whose next one stands at a key already", () => {
    const N1 = NodeId("n1");
    function put(stage: Stage, round: number, ...keys: string[]): void {
      const ops = keys.map(
        (key, i) =>
          ({ type: "write", ...entry, key, stamp: null, value: Uint8Array.of(round, i) }) as const,
      );
      const head = { type: "OP_FORWARD", sourceNodeId: "front", rulings: [] } as const;
      stage.ask({ ...head, forwardId: Seq(round), ops }, N1);
      stage.settle();
    }
    const rowOf = (stage: Stage, key: string) =>
      stage.node(N1).rows.read(P, [{ ...at, key }])[0]?.row;
    /** No stamp is ahead of the clock when the node crashes, so none is saved. */
    function setBack(): Stage {
      const stage = pair();
      const began = (stage.now += 1_000);
      put(stage, 1, "k", "other", "k", "k");
      stage.node(N1).crash();
      stage.now = began - 500;
      put(stage, 2, "other"); // Stamped again, and the next stamp is the one of `k`.
      stage.now = began - 400;
      return stage;
    }

    it("a write that would get the stamp of the one before is stamped again [I6, sim seed 300036]", () => {
      const stage = setBack();
      const before = rowOf(stage, "k")?.stamp;
      put(stage, 3, "k");
      expect(isNewer(rowOf(stage, "k")?.stamp, before)).toBe(true);
    });

    it("and so is a later write in the same request, which stands over it [R-later-write, sim seed 900238]", () => {
      const stage = setBack();
      put(stage, 3, "k", "k");
      expect(rowOf(stage, "k")?.value).toEqual(Uint8Array.of(3, 1));
    });
  });
});
