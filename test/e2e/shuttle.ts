/** One partition that is moved back and forth while a client writes to it, for faults on its way. */
import { expect } from "vitest";
import type { Phase, SavedMove } from "./disk.ts";
import { fill, Grid } from "./grid.ts";
import { keysIn, PartitionWriter } from "./partition-writer.ts";
import { pause } from "./writer.ts";

export const PARTITIONS = 32;
export const PARTITION = 5;
const ATTEMPTS_MAX = 8;

/** 8 MB: enough that every phase can be seen from outside. */
const ballast = keysIn(PARTITION, PARTITIONS, { prefix: "b", count: 4_000 });
const written = keysIn(PARTITION, PARTITIONS, { prefix: "w", count: 200 });
const value = "x".repeat(2_000);

export type Part = "source" | "target" | "coordinator";
export type Names = Readonly<Record<Part, string>>;

/** From this phase on this part is held, and who was held before is not. */
export type Stop = readonly [from: Phase, held: Part];

/** How a move is kept in a phase. */
export const TO_COUNTS: readonly Stop[] = [["copying", "coordinator"]];
export const TO_CLOSING: readonly Stop[] = [...TO_COUNTS, ["counts", "target"]];
export const TO_READY: readonly Stop[] = [...TO_CLOSING, ["closing", "coordinator"]];

export class Shuttle {
  readonly grid: Grid;
  private constructor(grid: Grid) {
    this.grid = grid;
  }

  static async start(): Promise<Shuttle> {
    const grid = await Grid.start({ nodes: 3, partitions: PARTITIONS });
    await fill(grid.api, "ballast", { keys: ballast, value });
    return new Shuttle(grid);
  }

  /** The move as it is on disk. */
  saved(): SavedMove {
    return this.grid.disk.move(PARTITION);
  }

  /** Holds one part after the other, so that the move comes to this phase, and stays if it can. */
  async bring(phase: Phase, stops: readonly Stop[], names: Names): Promise<() => void> {
    let release = (): void => {};
    try {
      for (const [from, held] of stops) {
        await this.#until(from);
        const released = release;
        release = this.grid.disk.hold(names[held]);
        released();
      }
      await this.#until(phase);
      return () => release();
    } catch (error) {
      release();
      throw error;
    }
  }

  /**
   * Moves the partition on, with a writer at that part and `fault` on the way, until the fault says that
   * it came when it should. After every move it is whole, and everything is there that was acknowledged.
   */
  async move(writerAt: "source" | "target", fault: (names: Names) => Promise<boolean>) {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const source = await this.grid.ownerOf(PARTITION);
      const target = this.grid.nodes.find((node) => node !== source) ?? "";
      const names = { source, target, coordinator: "coordinator" };
      const writer = new PartitionWriter(this.grid.api.base, names[writerAt], written);
      await writer.start();
      try {
        await writer.hears(20);
        const order = { partition: PARTITION, to: target };
        const { status } = await this.grid.api.json("POST", "/v1/cluster/migrations", order);
        expect(status).toBe(202);
        const hit = await fault(names);
        await writer.hears(10);
        await this.grid.api.settled(this.grid.nodes);
        await writer.stop();
        expect(await this.grid.ownerOf(PARTITION)).toBe(target);
        await this.#checkWritten(writer);
        if (hit) return writer;
      } finally {
        await writer.stop();
      }
    }
    throw new Error(`the fault has missed its phase ${ATTEMPTS_MAX} times`);
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
