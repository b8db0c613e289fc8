/** A cluster that notices failures within seconds, written to at each node while parts of it hear nothing. */
import { expect } from "vitest";
import { NodeId } from "../../src/data/ids.ts";
import type { NodeState } from "../../src/data/members.ts";
import type { Direction } from "../../src/objects/faults.ts";
import type { Sender } from "../../src/protocol/cluster-messages.ts";
import { fill, Grid } from "./grid.ts";
import { keysIn, PartitionWriter } from "./partition-writer.ts";
import { pause } from "./writer.ts";

export const PARTITIONS = 12;

/** One frame at a time, of one op: somebody works, and there is room for others. */
const SLOW = { frames: 1, ops: 1 };
const STATE_MS_MAX = 20_000;

/** From each partition. */
const before = Array.from({ length: 400 }, (_, i) => `b${i}`);

export class Outage {
  readonly grid: Grid;
  readonly #writers = new Map<string, PartitionWriter>();
  private constructor(grid: Grid) {
    this.grid = grid;
  }

  static async start(shape: { nodes: number; backups?: number }): Promise<Outage> {
    const grid = await Grid.start({
      ...shape,
      partitions: PARTITIONS,
      faults: true,
      preset: "fast",
    });
    await fill(grid.api, "before", { keys: before, value: "x" });
    return new Outage(grid);
  }

  /** A client at each of these nodes writes to a partition of its own. Returns these, by node. */
  async write(nodes: readonly string[] = this.grid.nodes): Promise<ReadonlyMap<string, number>> {
    const partitions = new Map<string, number>();
    for (const node of nodes) {
      const [partition = 0] = await this.grid.ownedBy(node);
      const keys = keysIn(partition, PARTITIONS, { prefix: `${node}-`, count: 20 });
      const writer = new PartitionWriter(this.grid.api.base, node, keys, SLOW);
      await writer.start();
      await writer.hears(5);
      this.#writers.set(node, writer);
      partitions.set(node, partition);
    }
    return partitions;
  }

  at(node: string): PartitionWriter {
    const writer = this.#writers.get(node);
    if (!writer) throw new Error(`nobody writes at ${node}`);
    return writer;
  }

  /** None of `side` hears of the others or is heard; clients and the front reach everybody. */
  async cut(side: readonly Sender[]): Promise<void> {
    const others = this.#objects().filter((who) => !side.includes(who));
    for (const who of side) await this.cutFrom(who, others);
  }

  async cutFrom(who: Sender, peers: readonly Sender[], direction: Direction | "both" = "both") {
    await this.grid.order(who, { faults: peers.map((peer) => ({ peer, direction })), keep: true });
  }

  async heal(): Promise<void> {
    for (const who of this.#objects()) await this.grid.order(who);
  }

  #objects(): readonly Sender[] {
    return ["coordinator", ...this.grid.nodes.map(NodeId)];
  }

  /** As it is saved. */
  stateOf(node: string): NodeState | undefined {
    return this.grid.disk.member(node)?.state;
  }

  /** Returns what is saved of the node until that is `state`. */
  async until(node: string, state: NodeState): Promise<readonly NodeState[]> {
    const seen: NodeState[] = [];
    for (const began = Date.now(); Date.now() - began < STATE_MS_MAX; await pause(5)) {
      const now = this.stateOf(node);
      if (now && seen.at(-1) !== now) seen.push(now);
      if (now === state) return seen;
    }
    throw new Error(`${node} was ${seen.join(", ")}, never ${state}`);
  }

  /** Everybody is there, everything is served, and all that was ever acknowledged is read elsewhere. */
  async checkWhole(): Promise<void> {
    await this.heal();
    await this.grid.api.settled(this.grid.nodes);
    await this.#served();
    const writers = [...this.#writers.values()];
    await Promise.all(writers.map((writer) => writer.hears(3)));
    await Promise.all(writers.map((writer) => writer.stop()));
    this.#writers.clear();
    const stored = await this.grid.readElsewhere("load");
    for (const writer of writers) {
      expect(writer.acked.size).toBeGreaterThan(0);
      // What was written later and refused, or not answered, may stand over it.
      for (const [key, n] of writer.acked)
        expect(Number(stored.get(key)), key).toBeGreaterThanOrEqual(n);
    }
    expect((await this.grid.readElsewhere("before")).size).toBe(before.length);
  }

  async owned(partition: number, node: string): Promise<void> {
    for (const began = Date.now(); ; await pause(50)) {
      if ((await this.grid.ownedBy(node)).includes(partition)) return;
      if (Date.now() - began > STATE_MS_MAX) throw new Error(`${node} is not given it`);
    }
  }

  async #served(): Promise<void> {
    for (const began = Date.now(); ; await pause(50)) {
      const owned = await Promise.all(this.grid.nodes.map((node) => this.grid.ownedBy(node)));
      if (owned.flat().length === PARTITIONS) return;
      if (Date.now() - began > STATE_MS_MAX) throw new Error("not every partition has an owner");
    }
  }
}
