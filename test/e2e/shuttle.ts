/** One partition that is moved back and forth while a client writes to it, for faults on its way. */
import { expect } from "vitest";
import type { Phase, SavedMove } from "./disk.ts";
import { fill, Grid } from "./grid.ts";
import { keysIn, PartitionWriter } from "./partition-writer.ts";
import type { Part, Way } from "./phases.ts";
import { pause } from "./writer.ts";

export const PARTITIONS = 32;
export const PARTITION = 5;
const ATTEMPTS_MAX = 10;

/** What was under way when the copy was found equal is there then, without which nobody asks whether it is complete. */
const OWED_MS = 100;

/** 8 MB: enough that every phase can be seen from outside. */
const ballast = keysIn(PARTITION, PARTITIONS, { prefix: "b", count: 4_000 });
const written = keysIn(PARTITION, PARTITIONS, { prefix: "w", count: 200 });
const value = "x".repeat(2_000);

export type Names = Readonly<Record<Part, string>>;

interface Reached {
  readonly names: Names;
  readonly writer: PartitionWriter;
  readonly release: () => void;
}

export class Shuttle {
  readonly grid: Grid;
  private constructor(grid: Grid) {
    this.grid = grid;
  }

  static async start(faults = false): Promise<Shuttle> {
    // A node that keeps a backup would have nothing to copy.
    const grid = await Grid.start({ nodes: 3, partitions: PARTITIONS, backups: 0, faults });
    await fill(grid.api, "ballast", { keys: ballast, value });
    return new Shuttle(grid);
  }

  /** The move as it is on disk. */
  saved(): SavedMove {
    return this.grid.disk.move(PARTITION);
  }

  /**
   * Moves the partition on, with a writer at that node and `fault` on the way, until the fault says that
   * it came when it should. After every move it is whole, and everything is there that was acknowledged.
   */
  async move(
    way: Way,
    fault: (names: Names) => Promise<boolean>,
    writerAt: "source" | "target" = "source",
  ): Promise<PartitionWriter> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const { names, writer, release } = await this.reach(way, writerAt);
      try {
        const hit = await fault(names).finally(release);
        await this.grid.answering();
        await writer.hears(10);
        await this.grid.api.settled(this.grid.nodes);
        await writer.stop();
        expect(await this.grid.ownerOf(PARTITION)).toBe(names.target);
        await this.#checkWritten(writer);
        await this.grid.dropped(names.source, PARTITION);
        if (hit) return writer;
      } finally {
        await writer.stop();
      }
    }
    throw new Error(`the fault has missed its phase ${ATTEMPTS_MAX} times`);
  }

  /**
   * Brings a move to its phase, where it stays until released, beside a writer at that node. A slow machine may need
   * longer than a silent node has: then the move is given up, and begins again.
   */
  async reach(way: Way, writerAt: "source" | "target" = "source"): Promise<Reached> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const names = await this.#names();
      const writer = new PartitionWriter(this.grid.api.base, names[writerAt], written);
      await writer.start();
      await writer.hears(20);
      const release = await this.#bring(way, names);
      if (this.saved().phase === way.phase) return { names, writer, release };
      release();
      await this.grid.answering();
      await this.grid.api.settled(this.grid.nodes);
      await writer.stop();
    }
    throw new Error(`${way.phase} was not reached ${ATTEMPTS_MAX} times`);
  }

  async #names(): Promise<Names> {
    const source = await this.grid.ownerOf(PARTITION);
    const target = this.grid.nodes.find((node) => node !== source) ?? "";
    return { source, target, coordinator: "coordinator" };
  }

  /** Orders the move, and holds one part after the other, so that it comes to this phase and stays. */
  async #bring({ phase, stops }: Way, names: Names): Promise<() => void> {
    let release = (): void => {};
    try {
      let ordered = false;
      for (const [from, held] of stops) {
        if (from !== "none" && !ordered) await this.#order(names.target);
        ordered ||= from !== "none";
        await this.#until(from);
        if (from === "counts") await pause(OWED_MS);
        const released = release;
        release = this.grid.disk.hold(names[held]);
        released();
      }
      if (!ordered) await this.#order(names.target);
      await this.#until(phase);
      return () => release();
    } catch (error) {
      release();
      throw error;
    }
  }

  async #order(to: string): Promise<void> {
    const order = { partition: PARTITION, to };
    const { status } = await this.grid.api.json("POST", "/v1/cluster/migrations", order);
    expect(status).toBe(202);
  }

  async checkBallast(): Promise<void> {
    const stored = await this.grid.readElsewhere("ballast");
    expect(stored.size).toBe(ballast.length);
    expect(new Set(stored.values())).toEqual(new Set([value]));
  }

  async #checkWritten(writer: PartitionWriter): Promise<void> {
    expect(writer).toMatchObject({ refused: [], unanswered: 0 });
    expect(writer.acked.size).toBeGreaterThan(100);
    const stored = await this.grid.readElsewhere("load");
    for (const [key, n] of writer.acked) expect(stored.get(key), key).toBe(n);
  }

  /** Until the move is in this phase, or over. */
  async #until(phase: Phase): Promise<void> {
    for (const began = Date.now(); Date.now() - began < 10_000; await pause(1)) {
      const now = this.saved().phase;
      if (now === phase || now === "none") return;
    }
  }
}
